// The keys by which a finished batch is found.

#pragma once

#include <string>
#include <vector>

#include "storage/record_codec.h"

namespace jobrunner::storage {

// By its expiry, state, queue and labels. Their values are empty.
std::vector<std::string> SummaryIndexKeys(const Summary& summary);

}  // namespace jobrunner::storage
