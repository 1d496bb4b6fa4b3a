#include "storage/batch_fold.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace jobrunner::storage {
namespace {

absl::Status Misfit(const engine::Batch& batch, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("batch ", batch.id(), " has ", what,
                                          " that does not follow from what is before"));
}

absl::Status Fold(const engine::Changed& changed, const StoredRecord& stored,
                  engine::Batch* batch) {
  for (const engine::JobChange& change : changed.changes) {
    if (!batch->Allows(change)) return Misfit(*batch, "a change");
    batch->Apply(change, changed.time);
  }
  if (stored.event_count > 0) {
    const int64_t last_sequence = stored.first_sequence + stored.event_count - 1;
    if (!batch->AllowsEvents(stored.first_sequence, last_sequence)) {
      return Misfit(*batch, "an event");
    }
    batch->ApplyEvents(stored.first_sequence, last_sequence);
  }
  if (changed.finish) {
    if (!batch->AllowsFinish()) return Misfit(*batch, "an end");
    batch->ApplyFinish(*changed.finish);
  }
  return absl::OkStatus();
}

absl::Status Fold(const engine::CancelRequested& cancel, engine::Batch* batch) {
  const bool fits = std::all_of(cancel.indexes.begin(), cancel.indexes.end(), [&](int32_t index) {
    return index >= 0 && index < batch->job_count();
  });
  if (!fits) return Misfit(*batch, "a cancel");
  batch->Apply(cancel);
  return absl::OkStatus();
}

}  // namespace

absl::Status Fold(const StoredRecord& stored, engine::Batch* batch) {
  if (const auto* changed = std::get_if<engine::Changed>(&stored.record)) {
    return Fold(*changed, stored, batch);
  }
  if (const auto* cancel = std::get_if<engine::CancelRequested>(&stored.record)) {
    return Fold(*cancel, batch);
  }
  return Misfit(*batch, "a second beginning");
}

}  // namespace jobrunner::storage
