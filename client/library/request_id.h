#pragma once

#include <string>

namespace jobrunner::client {

// A UUID of its own, for SubmitBatchRequest.request_id.
std::string NewRequestId();

}  // namespace jobrunner::client
