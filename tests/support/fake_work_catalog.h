#pragma once

#include <string>
#include <vector>

#include "engine/work_catalog.h"

namespace jobrunner::test {

// Runs anything but the handler "nobody" (INVALID_ARGUMENT) and the command "/bin/forbidden"
// (PERMISSION_DENIED).
class FakeWorkCatalog final : public engine::WorkCatalog {
 public:
  absl::Status Check(const v1::Job& job) const override;
  std::vector<std::string> Handlers() const override { return {"echo"}; }
  std::vector<std::string> Commands() const override { return {"/bin/true"}; }
  bool AllowsAnyCommand() const override { return false; }
  std::optional<std::vector<std::string>> HttpHosts() const override { return std::nullopt; }
};

}  // namespace jobrunner::test
