// Folding what was read back.

#pragma once

#include "absl/status/status.h"
#include "engine/batch.h"
#include "storage/record_codec.h"

namespace jobrunner::storage {

// Applies a record that was read back to its batch. DATA_LOSS, and the batch is of no use any more,
// if it is none that this batch could have had.
absl::Status Fold(const StoredRecord& stored, engine::Batch* batch);

}  // namespace jobrunner::storage
