#pragma once

#include "absl/status/status.h"
#include "base/listen_address.h"

namespace jobrunner::server {

// UNAVAILABLE when somebody answers on this unix socket already: gRPC would take it away from them
// without a word. OK for a socket that a server left behind, and for any other address.
absl::Status CheckSocketFree(const base::ListenAddress& address);

}  // namespace jobrunner::server
