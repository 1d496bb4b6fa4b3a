// Where a server listens.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace jobrunner::base {

// "HOST:PORT" ("127.0.0.1:7420", "[::1]:7420", "localhost:0"; port 0 picks a free one) or
// "unix:PATH".
struct ListenAddress {
  // Without brackets; empty for a unix socket.
  std::string host;
  uint16_t port = 0;
  // Of a unix socket; empty otherwise.
  std::string unix_path;

  bool is_unix() const { return !unix_path.empty(); }
  // Whether only this machine can reach it. A name other than localhost is taken for one that
  // others can reach.
  bool is_local() const;
};

// INVALID_ARGUMENT saying what is wrong with it.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace jobrunner::base
