#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct ShowInfo {};
struct ShowStatistics {};
struct PauseQueue {
  std::string queue;
};
struct ResumeQueue {
  std::string queue;
};
struct ResizePool {
  std::optional<int32_t> workers_min;
  std::optional<int32_t> workers_max;
};
struct DrainServer {
  std::optional<absl::Duration> grace;
};

using AdminOptions =
    std::variant<ShowInfo, ShowStatistics, PauseQueue, ResumeQueue, ResizePool, DrainServer>;

// Looks at a server or steers it, and shows its answer.
absl::StatusOr<int> AdminCommand(const CommonOptions& common, const AdminOptions& options);

}  // namespace jobrunner::client
