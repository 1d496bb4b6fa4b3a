#include "offline/restore.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/console.h"
#include "base/status_macros.h"
#include "storage/restore.h"

namespace jobrunner::offline {
namespace {

void List(const std::vector<storage::Backup>& backups) {
  for (const storage::Backup& backup : backups) {
    const absl::Time time = absl::FromUnixNanos(backup.time.time_since_epoch().count());
    base::Console(STDOUT_FILENO)
        .Write(absl::StrCat("backup ", backup.number, " of ",
                            absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()), ", ",
                            backup.size_bytes, " bytes\n"));
  }
}

}  // namespace

absl::Status Restore(const RestoreOptions& options) {
  if (options.directory.empty()) {
    ASSIGN_OR_RETURN(const auto backups, storage::ListBackups(options.backups));
    List(backups);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(storage::Restore(options.backups, options.number, options.directory,
                                   [](const std::string& fault) {
                                     base::Console(STDERR_FILENO).Write(absl::StrCat(fault, "\n"));
                                   }));
  base::Console(STDOUT_FILENO)
      .Write(absl::StrCat("restored: jobrunnerd --store=rocksdb:", options.directory, "\n"));
  return absl::OkStatus();
}

}  // namespace jobrunner::offline
