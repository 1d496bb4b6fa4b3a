#include "workers/local_catalog.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace jobrunner::workers {
namespace {

absl::Status AtField(absl::string_view field, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(field, ": ", status.message()));
}

}  // namespace

absl::Status LocalCatalog::Check(const v1::Job& job) const {
  switch (job.work_case()) {
    case v1::Job::kCommand:
      return CheckCommand(job.command());
    case v1::Job::kHttp:
      return AtField("http.url", CheckUrl(job.http().url()));
    case v1::Job::kHandler:
      return CheckHandler(job.handler());
    case v1::Job::WORK_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("work: must be set");
}

std::optional<std::vector<std::string>> LocalCatalog::HttpHosts() const {
  if (http_ == nullptr) return std::nullopt;
  return http_->Hosts();
}

absl::Status LocalCatalog::CheckCommand(const v1::Command& command) const {
  if (!command.pool().empty()) return CheckPool(command.pool());
  if (command.argv().empty()) return absl::InvalidArgumentError("command.argv: must not be empty");
  const absl::Status program = commands_->CheckProgram(command.argv(0));
  if (!program.ok()) return AtField("command.argv[0]", program);
  for (const auto& [name, value] : command.env()) {
    const absl::Status variable = commands_->CheckVariable(name);
    if (!variable.ok()) return AtField(absl::StrCat("command.env[\"", name, "\"]"), variable);
  }
  return absl::OkStatus();
}

absl::Status LocalCatalog::CheckPool(const std::string& pool) const {
  if (remote_ == RemoteHandlers::kAny) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("command.pool: there is no pool \"", pool, "\" here"));
}

absl::Status LocalCatalog::CheckHandler(const v1::HandlerCall& call) const {
  if (remote_ == RemoteHandlers::kAny || handlers_->Find(call.name()) != nullptr) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("handler.name: there is no handler \"", call.name(), "\" here"));
}

absl::Status LocalCatalog::CheckUrl(const std::string& url) const {
  if (http_ != nullptr) return http_->CheckUrl(url);
  return absl::PermissionDeniedError("the configuration does not allow HTTP jobs");
}

}  // namespace jobrunner::workers
