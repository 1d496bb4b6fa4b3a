#include "support/fake_work_catalog.h"

namespace jobrunner::test {

absl::Status FakeWorkCatalog::Check(const v1::Job& job) const {
  if (job.handler().name() == "nobody") {
    return absl::InvalidArgumentError("handler.name: no handler is called nobody");
  }
  if (job.has_command() && job.command().argv(0) == "/bin/forbidden") {
    return absl::PermissionDeniedError("command.argv[0]: not allowed here");
  }
  if (job.has_http() && job.http().url() == "http://forbidden") {
    return absl::PermissionDeniedError("http.url: not allowed here");
  }
  return absl::OkStatus();
}

}  // namespace jobrunner::test
