// The port to what remembers.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/batch.h"
#include "engine/batch_page.h"
#include "engine/record.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// One thing to be stored: a record at the end of a batch's history, the removal of a whole finished
// batch, or that a request is no longer remembered.
struct Append {
  std::string batch_id;
  Record record;
};
struct Remove {
  std::string batch_id;
  // Until then the batch's request_id, if it has one, is still answered with the batch as it was.
  base::WallTime keep_request_until{};
};
struct ForgetRequest {
  std::string request_id;
};
// A shard, with its bytes, of a batch that is on its way in piece by piece. What is staged is kept
// and not seen: it is no batch until an Accepted with the same id takes all of it over, in the one
// commit that makes the batch. What nobody took over goes with DropStaged, or with the next
// Recover.
struct StageShard {
  std::string batch_id;
  Shard shard;
};
// Drops what is staged for a batch; nothing if that was taken over.
struct DropStaged {
  std::string batch_id;
};
using Write = std::variant<Append, Remove, ForgetRequest, StageShard, DropStaged>;

// When a commit becomes stable.
enum class Sync : uint8_t {
  // It is stable when it is done.
  kNow,
  // It is written, so that the death of the process does not lose it, and done; it becomes stable
  // with the next commit that is synced. For what nobody waits for.
  kWithNext,
};

// A run of a batch's event log: whole segments, of which the reader takes what it has not seen.
struct LogPage {
  std::vector<std::shared_ptr<const Segment>> segments;
  // The last event of the log is among them, and it is BatchFinished.
  bool finished = false;
};

// What a store has when it is opened.
struct Recovery {
  // Higher than at any earlier start on this store.
  uint32_t epoch = 1;
  // Folded, in the order of their ids, without the shards' bytes.
  std::vector<std::unique_ptr<Batch>> unfinished;
  // Batches that were staged and never accepted, of which nothing is left.
  int64_t staged_dropped = 0;
};

// A request_id that was used, and the batch that it made.
struct KnownRequest {
  std::string batch_id;
  std::string fingerprint;
  // The batch as it was last, if it has been removed.
  std::optional<v1::Batch> removed;
};

// What need not be kept any longer.
struct Expired {
  std::vector<std::string> batch_ids;
  std::vector<std::string> request_ids;
};

// Remembers records, and gives back shards, events and what the records fold to. Writes are stored
// in the order of the calls, each call's writes all or none. Nothing that is not stable is ever
// read back, except what was written with Sync::kWithNext.
//
// The reads may be called on any thread, and do not block; `done` runs on any thread, perhaps
// before the call returns. Their errors: NOT_FOUND, and DATA_LOSS for what is damaged.
class Store {
 public:
  // Called once the commit is done, in the order of the Commit calls; on any thread, perhaps before
  // Commit returns. An error means that nothing more can be stored: the process must end.
  using CommitDone = std::function<void(absl::Status)>;
  using ShardDone = std::function<void(absl::StatusOr<std::shared_ptr<const std::string>>)>;
  using PageDone = std::function<void(absl::StatusOr<LogPage>)>;
  using BatchDone = std::function<void(absl::StatusOr<std::shared_ptr<const Batch>>)>;
  using ListDone = std::function<void(absl::StatusOr<BatchPage>)>;
  using RequestDone = std::function<void(absl::StatusOr<KnownRequest>)>;
  using ExpiredDone = std::function<void(absl::StatusOr<Expired>)>;

  virtual ~Store() = default;

  // Whether what it holds outlives the process. Then it also answers for finished batches and
  // requests; otherwise the engine does, and the calls below that look for them find nothing.
  virtual bool durable() const = 0;

  // Called once, before anything else. Blocks until all that is unfinished has been read.
  virtual absl::StatusOr<Recovery> Recover() = 0;

  // Any thread; does not block. What belongs to one batch comes from one thread at a time.
  virtual void Commit(std::vector<Write> writes, Sync sync, CommitDone done) = 0;

  // OK, or RESOURCE_EXHAUSTED while there is not enough room for new batches. Any thread; does not
  // block.
  virtual absl::Status CheckRoom() const = 0;

  // The bytes of the shard that begins at `first_index`.
  virtual void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) = 0;

  // Segments with events after `after_sequence`, in order, up to about `bytes_max` and at least one
  // if there is any. NOT_FOUND when the batch is not (any more) there.
  virtual void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
                       PageDone done) = 0;

  // A finished batch. One that runs is the engine's to describe, and may be NOT_FOUND.
  virtual void FindBatch(std::string_view batch_id, BatchDone done) = 0;

  // Finished batches as Engine::ListBatches lists those that run. The filter's states are those of
  // finished batches, or none.
  virtual void ListFinished(const BatchFilter& filter, std::string_view before_id,
                            int32_t page_size, ListDone done) = 0;

  // NOT_FOUND for a request that was never accepted, or is forgotten.
  virtual void FindRequest(std::string_view request_id, RequestDone done) = 0;

  // Up to about `max` of the batches whose expire_time, and of the requests whose
  // keep_request_until, has passed.
  virtual void FindExpired(base::WallTime now, int32_t max, ExpiredDone done) = 0;
};

}  // namespace jobrunner::engine
