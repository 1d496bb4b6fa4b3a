// The port to what remembers.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/record.h"

namespace jobrunner::engine {

// One thing to be stored: a record at the end of a batch's history, or the removal of a whole
// batch.
struct Append {
  std::string batch_id;
  Record record;
};
struct Remove {
  std::string batch_id;
};
using Write = std::variant<Append, Remove>;

// A run of a batch's event log: whole segments, of which the reader takes what it has not seen.
struct LogPage {
  std::vector<std::shared_ptr<const Segment>> segments;
  // The last event of the log is among them, and it is BatchFinished.
  bool finished = false;
};

// Remembers records, and gives back shards and events. Writes are stored in the order of the calls,
// each call's writes all or none. Nothing that is not stable is ever read back.
class Store {
 public:
  // Called once the writes are stable, in the order of the Commit calls; on any thread, perhaps
  // before Commit returns. An error means that nothing more can be stored: the process must end.
  using CommitDone = std::function<void(absl::Status)>;
  using ShardDone = std::function<void(absl::StatusOr<std::shared_ptr<const std::string>>)>;
  using PageDone = std::function<void(absl::StatusOr<LogPage>)>;

  virtual ~Store() = default;

  // Engine thread; does not block.
  virtual void Commit(std::vector<Write> writes, CommitDone done) = 0;

  // The bytes of the shard that begins at `first_index`. Any thread; does not block; `done` runs on
  // any thread, perhaps before this returns. NOT_FOUND, DATA_LOSS.
  virtual void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) = 0;

  // Segments with events after `after_sequence`, in order, up to about `bytes_max` and at least one
  // if there is any. Threads as LoadShard. NOT_FOUND when the batch is not (any more) there.
  virtual void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
                       PageDone done) = 0;

  // Whether what it holds outlives the process.
  virtual bool durable() const = 0;
};

}  // namespace jobrunner::engine
