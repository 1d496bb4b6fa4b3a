#include "client/inspect_command.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/batch_table.h"
#include "client/console.h"
#include "client/exit_code.h"
#include "client/library/safe_text.h"
#include "client/server_program.h"
#include "google/protobuf/util/json_util.h"
#include "jobrunner/storage/v1/inspection.pb.h"

namespace jobrunner::client {
namespace {

using storage::v1::Inspection;

std::string TotalsText(const storage::v1::Totals& totals) {
  const std::string found =
      absl::StrCat(totals.batches(), " batches (", totals.batches_unfinished(), " unfinished), ",
                   totals.jobs(), " jobs, ", totals.records(), " records, ", totals.events(),
                   " events, ", totals.requests(), " requests: ");
  if (totals.faults() == 0) return absl::StrCat(found, "all is sound\n");
  return absl::StrCat(
      found, totals.faults(),
      " faults. Keep a copy of the directory, check the disk, and restore the store "
      "from a backup\n");
}

// Shows each line of jobrunnerd's as the command that asks a server would.
class Viewer {
 public:
  explicit Viewer(Console* console) : console_(*console) {}

  void Show(const std::string& line) {
    Inspection inspection;
    if (!google::protobuf::util::JsonStringToMessage(line, &inspection).ok()) {
      understood_ = false;
      return;
    }
    Printer& printer = console_.printer;
    switch (inspection.kind_case()) {
      case Inspection::kBatch:
        batches_.Add(inspection.batch());
        break;
      case Inspection::kEvent:
        printer.Event(inspection.event());
        break;
      case Inspection::kFault:
        printer.Answer(inspection, absl::StrCat("✘ ", SafeText(inspection.fault()), "\n"));
        break;
      case Inspection::kTotals:
        printer.Answer(inspection, TotalsText(inspection.totals()));
        break;
      case Inspection::KIND_NOT_SET:
        understood_ = false;
        break;
    }
  }

  // False when there was a line that is of another version.
  bool understood() const { return understood_; }
  void End(bool list) {
    if (list) batches_.End();
  }

 private:
  Console& console_;
  BatchTable batches_{&console_};
  bool understood_ = true;
};

}  // namespace

absl::StatusOr<int> InspectCommand(const CommonOptions& common, const InspectOptions& options) {
  const auto program = FindServerProgram();
  if (!program.ok()) return program.status();
  std::vector<std::string> argv = {*program, "inspect", options.directory};
  if (!options.batch_id.empty()) argv.push_back(options.batch_id);
  if (options.check) argv.emplace_back("--check");
  Console console(common.format);
  Viewer viewer(&console);
  const auto ended =
      ReadLinesOf(std::move(argv), [&](const std::string& line) { viewer.Show(line); });
  if (!ended.ok()) return ended.status();
  viewer.End(options.batch_id.empty() && !options.check && *ended == kSuccess);
  if (absl::Status status = console.printer.Flush(); !status.ok()) return status;
  if (!viewer.understood()) {
    return absl::InternalError(absl::StrCat(*program, " is of another version than this program"));
  }
  return ExitCodeOfStoreTool(*ended);
}

}  // namespace jobrunner::client
