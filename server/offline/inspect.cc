#include "offline/inspect.h"

#include <cstdio>
#include <utility>

#include "base/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "jobrunner/storage/v1/inspection.pb.h"
#include "storage/store_inspection.h"

namespace jobrunner::offline {
namespace {

using storage::v1::Inspection;

void Write(const Inspection& inspection) {
  std::string line;
  // Every message of ours has a form in JSON.
  if (!google::protobuf::util::MessageToJsonString(inspection, &line).ok()) return;
  line.push_back('\n');
  fwrite(line.data(), 1, line.size(), stdout);
}

absl::StatusOr<bool> Check(const storage::StoreInspection& store) {
  ASSIGN_OR_RETURN(const storage::StoreTotals found, store.Check([](const std::string& fault) {
    Inspection inspection;
    inspection.set_fault(fault);
    Write(inspection);
  }));
  Inspection inspection;
  storage::v1::Totals& totals = *inspection.mutable_totals();
  totals.set_batches(found.batches);
  totals.set_batches_unfinished(found.batches_unfinished);
  totals.set_jobs(found.jobs);
  totals.set_records(found.records);
  totals.set_events(found.events);
  totals.set_requests(found.requests);
  totals.set_faults(found.faults);
  Write(inspection);
  return found.faults == 0;
}

absl::StatusOr<bool> Show(const InspectOptions& options, storage::StoreInspection& store) {
  if (options.check) return Check(store);
  Inspection inspection;
  if (options.batch_id.empty()) {
    RETURN_IF_ERROR(store.ListBatches([&](const v1::Batch& batch) {
      *inspection.mutable_batch() = batch;
      Write(inspection);
    }));
    return true;
  }
  RETURN_IF_ERROR(store.ReadLog(options.batch_id, [&](const v1::Event& event) {
    *inspection.mutable_event() = event;
    Write(inspection);
  }));
  return true;
}

}  // namespace

absl::StatusOr<bool> Inspect(const InspectOptions& options) {
  ASSIGN_OR_RETURN(const auto store, storage::StoreInspection::Open(options.directory));
  absl::StatusOr<bool> sound = Show(options, *store);
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    return absl::UnavailableError("standard output takes no more");
  }
  return sound;
}

}  // namespace jobrunner::offline
