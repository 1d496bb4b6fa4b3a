#pragma once

#include <string>
#include <vector>

#include "engine/work_catalog.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"

namespace jobrunner::workers {

// What this process can run: its handlers and the commands that its configuration allows. Both
// outlive it and do not change any more.
class LocalCatalog final : public engine::WorkCatalog {
 public:
  LocalCatalog(const HandlerRegistry* handlers, const CommandCatalog* commands)
      : handlers_(handlers), commands_(commands) {}

  absl::Status Check(const v1::Job& job) const override;
  std::vector<std::string> Handlers() const override { return handlers_->Names(); }
  std::vector<std::string> Commands() const override { return commands_->Names(); }
  bool AllowsAnyCommand() const override { return commands_->allows_any(); }

 private:
  absl::Status CheckCommand(const v1::Command& command) const;
  absl::Status CheckHandler(const v1::HandlerCall& call) const;

  const HandlerRegistry* const handlers_;
  const CommandCatalog* const commands_;
};

}  // namespace jobrunner::workers
