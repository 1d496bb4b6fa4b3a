#pragma once

#include <string>
#include <vector>

#include "engine/work_catalog.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"
#include "workers/http_jobs.h"

namespace jobrunner::workers {

// What can be run: this process's handlers, and the commands and HTTP requests that its
// configuration allows, all of which outlive it and do not change any more; and, if there may be
// remote workers, every other handler, and any command of any pool: what nobody offers waits.
class LocalCatalog final : public engine::WorkCatalog {
 public:
  enum class RemoteHandlers { kNone, kAny };

  // Without `http` there are no HTTP jobs.
  LocalCatalog(const HandlerRegistry* handlers, const CommandCatalog* commands,
               RemoteHandlers remote = RemoteHandlers::kNone, const HttpJobs* http = nullptr)
      : handlers_(handlers), commands_(commands), remote_(remote), http_(http) {}

  absl::Status Check(const v1::Job& job) const override;
  std::vector<std::string> Handlers() const override { return handlers_->Names(); }
  std::vector<std::string> Commands() const override { return commands_->Names(); }
  bool AllowsAnyCommand() const override { return commands_->allows_any(); }
  std::optional<std::vector<std::string>> HttpHosts() const override;

 private:
  absl::Status CheckCommand(const v1::Command& command) const;
  absl::Status CheckPool(const std::string& pool) const;
  absl::Status CheckHandler(const v1::HandlerCall& call) const;
  absl::Status CheckUrl(const std::string& url) const;

  const HandlerRegistry* const handlers_;
  const CommandCatalog* const commands_;
  const RemoteHandlers remote_;
  const HttpJobs* const http_;
};

}  // namespace jobrunner::workers
