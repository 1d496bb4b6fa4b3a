// What the result of a job says that something other than its own work ended.

#pragma once

#include <string>
#include <string_view>

#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

v1::Error DeadlineError(v1::Reason reason, std::string message);
v1::Error TotalTimeoutError();
// A cancel, or the deadline of a call that was noticed as one. The message may be any bytes.
v1::Error CancelError(v1::Reason reason, std::string_view message);
v1::Error ShutdownError();

}  // namespace jobrunner::engine
