// Writes become keys and values.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/batch.h"
#include "engine/store.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/committer.h"
#include "storage/log_cache.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_mark.h"

namespace jobrunner::storage {

// Puts a group of commits into one WriteBatch of RocksDB's, with the indexes that go with them
// (keys.h), and writes that. Used by the committer's thread; Resume before that.
class RocksDbWriter final : public CommitSink {
 public:
  using FailedCallback = std::function<void(const absl::Status&)>;

  // `database`, `mark`, which is kept true, and `cache`, which learns of what was stored, outlive
  // the writer. `failed` is called at most once.
  RocksDbWriter(rocksdb::DB* database, RocksDbMark* mark, LogCache* cache, FailedCallback failed);

  // A batch that was found unfinished goes on after its record of this number.
  void Resume(const engine::Batch& batch, int64_t last_record);
  // Shards were found that are staged for a batch.
  void ResumeStaged(const std::string& batch_id) { staged_.insert(batch_id); }

  absl::Status Add(engine::Write write) override;
  int64_t bytes() const override { return static_cast<int64_t>(group_.GetDataSize()); }
  absl::Status Store(bool sync) override;
  void Failed(const absl::Status& status) override { failed_(status); }

 private:
  struct Unfinished {
    engine::BatchHeaderPtr header;
    int64_t last_record = 0;
    int64_t last_sequence = 0;
  };

  absl::Status Put(engine::Append& append);
  absl::Status Put(const engine::Remove& remove);
  absl::Status Put(const engine::ForgetRequest& forget);
  absl::Status Put(const engine::StageShard& stage);
  absl::Status Put(const engine::DropStaged& drop);
  absl::Status Begin(const std::string& batch_id, const engine::Accepted& accepted);
  void Change(const std::string& batch_id, engine::Changed& changed, Unfinished* batch);
  void Finish(const Unfinished& batch, const engine::Changed& changed);
  // The request of a batch that is removed goes on being known, with the batch as it was last.
  absl::Status RemoveFromRequest(const std::string& request_id, const engine::Remove& remove,
                                 jobrunner::v1::Batch last);

  // A value that this group may have changed already. nullopt: there is none.
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key);
  void PutRead(const std::string& key, std::string value);
  void DeleteRead(const std::string& key);

  rocksdb::DB& database_;
  RocksDbMark& mark_;
  LogCache& cache_;
  const FailedCallback failed_;
  absl::flat_hash_map<std::string, Unfinished> unfinished_;
  // Batches with staged shards: few at a time.
  absl::flat_hash_set<std::string> staged_;

  // The group.
  rocksdb::WriteBatch group_;
  std::vector<LogUpdate> updates_;
  // Of the keys that are read here, those that the group changes.
  absl::flat_hash_map<std::string, std::optional<std::string>> changed_;
};

}  // namespace jobrunner::storage
