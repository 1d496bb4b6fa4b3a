// Writes for tests of a store.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/store.h"

namespace jobrunner::storage {

// Waits until the commit is done.
absl::Status Commit(engine::Store& store, std::vector<engine::Write> writes,
                    engine::Sync sync = engine::Sync::kNow);

// A batch of one job, whose shard has these bytes.
engine::Write Accept(const std::string& id, std::string bytes = "bytes");

// The bytes of a shard with one job.
std::string OneJob();

// A finished batch of one job, as clients would describe it.
struct FinishedBatch {
  std::string id;
  std::string queue = "default";
  v1::BatchState state = v1::BATCH_STATE_SUCCEEDED;
  std::vector<std::pair<std::string, std::string>> labels = {};
  std::string request_id = {};
  int64_t expire_time = 0;
};
std::vector<engine::Write> Whole(const FinishedBatch& finished);

// The one job of a batch starts, and ends as the batch does.
engine::Write Start(const std::string& batch_id);
engine::Write End(const FinishedBatch& finished);

// One record more of the batch.
engine::Write Cancel(const std::string& id);

}  // namespace jobrunner::storage
