#include "offline/store_tool.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/console.h"
#include "offline/inspect.h"
#include "offline/restore.h"

namespace jobrunner::offline {
namespace {

constexpr int kDone = 0;
constexpr int kDamaged = 1;
constexpr int kUsage = 2;
constexpr int kNotDone = 3;

int Refuse(absl::string_view command, const absl::Status& status) {
  base::Console(STDERR_FILENO)
      .Write(absl::StrCat("jobrunner ", command, ": ", status.message(), "\n"));
  return absl::IsDataLoss(status) ? kDamaged : kNotDone;
}

int RunInspect(const InspectOptions& options) {
  const absl::StatusOr<bool> sound = Inspect(options);
  if (!sound.ok()) return Refuse("inspect", sound.status());
  return *sound ? kDone : kDamaged;
}

int RunRestore(const RestoreOptions& options) {
  const absl::Status restored = Restore(options);
  return restored.ok() ? kDone : Refuse("restore", restored);
}

class Parser {
 public:
  Parser() {
    app_.require_subcommand(1);
    CLI::App* inspect = app_.add_subcommand(
        "inspect",
        "Lists the batches of a store that no server has, shows the log of one, or "
        "checks all of it; a line of JSON each");
    inspect->add_option("DIRECTORY", inspect_.directory, "Of the store")->required();
    inspect->add_option("BATCH", inspect_.batch_id, "Whose log is shown");
    inspect->add_flag("--check", inspect_.check, "Checks everything in the store");
    inspect->final_callback([this] { exit_code_ = RunInspect(inspect_); });
    CLI::App* restore =
        app_.add_subcommand("restore", "Makes a store from a backup, or lists the backups");
    restore->add_option("BACKUPS", restore_.backups, "Where the backups are")->required();
    restore->add_option("DIRECTORY", restore_.directory, "Of the new store");
    restore->add_option("--backup", restore_.number, "Its number (the newest)");
    restore->final_callback([this] { exit_code_ = RunRestore(restore_); });
  }

  int Run(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& success) {
      return app_.exit(success);
    } catch (const CLI::ParseError& error) {
      app_.exit(error);
      return kUsage;
    }
    return exit_code_;
  }

 private:
  CLI::App app_{"Looks at stores that no server has, and makes them.", "jobrunnerd"};
  InspectOptions inspect_;
  RestoreOptions restore_;
  int exit_code_ = kDone;
};

}  // namespace

std::optional<int> RunStoreTool(int argc, const char* const* argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command != "inspect" && command != "restore") return std::nullopt;
  return Parser().Run(argc, argv);
}

}  // namespace jobrunner::offline
