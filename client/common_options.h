#pragma once

#include <string>

#include "absl/time/time.h"
#include "client/printer.h"

namespace jobrunner::client {

inline constexpr char kDefaultServer[] = "127.0.0.1:7420";

// What every command can be told.
struct CommonOptions {
  // As gRPC takes it; empty: run starts a server of its own, the others use kDefaultServer.
  std::string server;
  OutputFormat format = OutputFormat::kText;
  // How long a server that went away is waited for.
  absl::Duration reconnect = absl::Seconds(60);
};

}  // namespace jobrunner::client
