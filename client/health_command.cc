#include "client/health_command.h"

#include "absl/strings/str_cat.h"
#include "client/console.h"
#include "client/exit_code.h"

namespace jobrunner::client {
namespace {

constexpr int kNotServing = 1;

}  // namespace

absl::StatusOr<int> HealthCommand(const CommonOptions& common, const HealthOptions& options) {
  JobClient client(common.server.empty() ? kDefaultServer : common.server);
  const auto serving = client.CheckHealth(options.timeout);
  Console console(common.format);
  if (!serving.ok()) {
    console.printer.Note(absl::StrCat("jobrunner: ", serving.status().message()));
    return kNotServing;
  }
  const bool json = common.format == OutputFormat::kJson;
  const char* state = *serving ? "serving" : "not serving";
  console.out.Append(json ? absl::StrCat("{\"serving\":", *serving ? "true" : "false", "}\n")
                          : absl::StrCat(state, "\n"));
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  return *serving ? kSuccess : kNotServing;
}

}  // namespace jobrunner::client
