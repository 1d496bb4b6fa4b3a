#include "client/console.h"

namespace jobrunner::client {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<JobClient>> ConnectTo(const CommonOptions& options) {
  auto client = std::make_unique<JobClient>(
      options.server.empty() ? kDefaultServer : options.server, ReconnectLimits(options));
  if (absl::Status status = client->Connect(kConnectTimeout); !status.ok()) return status;
  return client;
}

RetryLimits ReconnectLimits(const CommonOptions& options) {
  RetryLimits limits;
  limits.patience = options.reconnect;
  return limits;
}

}  // namespace jobrunner::client
