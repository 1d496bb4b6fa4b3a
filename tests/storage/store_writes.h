// Writes for tests of a store.

#pragma once

#include <string>
#include <vector>

#include "engine/store.h"

namespace jobrunner::storage {

// Waits until the commit is done.
absl::Status Commit(engine::Store& store, std::vector<engine::Write> writes,
                    engine::Sync sync = engine::Sync::kNow);

// A batch of one job, whose shard has these bytes.
engine::Write Accept(const std::string& id, std::string bytes = "bytes");

// One record more of the batch.
engine::Write Cancel(const std::string& id);

}  // namespace jobrunner::storage
