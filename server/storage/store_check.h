// Whether a store is sound.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/db.h"

namespace jobrunner::storage {

// What a check has gone through.
struct StoreTotals {
  int64_t batches = 0;
  int64_t batches_unfinished = 0;
  // Of which shards are staged: uploads that are under way, or were when the server was killed.
  int64_t batches_staged = 0;
  int64_t jobs = 0;
  int64_t records = 0;
  int64_t events = 0;
  int64_t requests = 0;
  int64_t faults = 0;
};

// Reads all of the database: the checksums of every table (those of the logs were checked when it
// was opened), whether the parts of each batch fit together and fold (BatchCheck), and whether the
// indexes have what there is and nothing else. `fault` is told what is wrong, a line each, once for
// each batch; it is not called for a store that is sound. Blocks for as long as that takes. An
// error means that reading had to end.
absl::StatusOr<StoreTotals> CheckStore(rocksdb::DB* database,
                                       const std::function<void(const std::string&)>& fault);

}  // namespace jobrunner::storage
