#include "client/backup_command.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/console.h"
#include "client/exit_code.h"
#include "client/library/safe_text.h"
#include "client/server_program.h"
#include "jobrunner/v1/admin_service.pb.h"

namespace jobrunner::client {

absl::StatusOr<int> BackupCommand(const CommonOptions& common, const BackupOptions& /*options*/) {
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto made = (*client)->BackUp();
  if (!made.ok()) return made.status();
  Console console(common.format);
  console.printer.Answer(
      *made, absl::StrCat("backup ", made->number(), " in ", SafeText(made->directory()), ", ",
                          made->size_bytes(), " bytes\n"));
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  return kSuccess;
}

absl::StatusOr<int> RestoreCommand(const CommonOptions& common, const RestoreOptions& options) {
  const auto program = FindServerProgram();
  if (!program.ok()) return program.status();
  std::vector<std::string> argv = {*program, "restore", options.backups};
  if (!options.directory.empty()) argv.push_back(options.directory);
  if (options.number > 0) argv.push_back(absl::StrCat("--backup=", options.number));
  Console console(common.format);
  const auto ended = ReadLinesOf(std::move(argv), [&](const std::string& line) {
    console.out.Append(absl::StrCat(line, "\n"));
  });
  if (!ended.ok()) return ended.status();
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  return ExitCodeOfStoreTool(*ended);
}

}  // namespace jobrunner::client
