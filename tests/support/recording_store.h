#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch.h"
#include "engine/staged_shards.h"
#include "engine/store.h"

namespace jobrunner::test {

// A store for one thread that keeps every record, folds it, and answers at once; or, as an injected
// fault, only when it is told to.
class RecordingStore final : public engine::Store {
 public:
  struct Stored {
    std::vector<engine::Record> records;
    // The fold of the records.
    std::unique_ptr<engine::Batch> batch;
    std::vector<std::shared_ptr<const engine::Segment>> segments;
    base::WallTime expire_time = base::WallTime::max();
  };
  struct Request {
    engine::KnownRequest known;
    // Of one whose batch was removed.
    base::WallTime keep_until = base::WallTime::max();
  };

  explicit RecordingStore(bool durable = false) : durable_(durable) {}

  bool durable() const override { return durable_; }
  // The records folded anew.
  absl::StatusOr<engine::Recovery> Recover() override;
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, CommitDone done) override;
  absl::Status CheckRoom() const override { return absl::OkStatus(); }
  void LoadShard(std::string_view batch_id, int32_t first_index, ShardDone done) override;
  void ReadLog(std::string_view batch_id, int64_t after_sequence, int64_t bytes_max,
               PageDone done) override;
  void FindBatch(std::string_view batch_id, BatchDone done) override;
  // Finds nothing.
  void ListFinished(const engine::BatchFilter& filter, std::string_view before_id,
                    int32_t page_size, ListDone done) override;
  void FindRequest(std::string_view request_id, RequestDone done) override;
  void FindExpired(base::WallTime now, int32_t max, ExpiredDone done) override;

  // From here on commits, or loads, wait until they are released; all at the latest when held no
  // more.
  void HoldCommits(bool hold);
  void HoldLoads(bool hold);
  // The oldest one. False when none waits.
  bool ReleaseCommit();
  bool ReleaseLoad();

  // The process ends: of the commits that wait the first `kept` are stored, unseen; the others, and
  // what was to be loaded, are lost. It holds nothing any more.
  void Crash(size_t kept);

  size_t commits_waiting() const { return commits_.size(); }
  size_t loads_waiting() const { return loads_.size(); }
  int64_t loads() const { return loads_seen_; }
  // Null when the batch is not (any more) stored.
  const Stored* Find(const std::string& batch_id) const;
  // By request_id.
  const std::map<std::string, Request>& requests() const { return requests_; }
  // How the commits so far were to be synced.
  const std::vector<engine::Sync>& syncs() const { return syncs_; }
  // The whole log, parsed.
  std::vector<v1::Event> Events(const std::string& batch_id) const;

 private:
  struct HeldCommit {
    std::vector<engine::Write> writes;
    CommitDone done;
  };
  struct HeldLoad {
    std::string batch_id;
    int32_t first_index = 0;
    ShardDone done;
  };

  void Apply(engine::Write write);
  void Apply(engine::Append& append);
  void Apply(engine::Remove& remove);
  void Apply(engine::ForgetRequest& forget);
  void Apply(engine::StageShard& stage) { staged_.Stage(std::move(stage)); }
  void Apply(engine::DropStaged& drop) { staged_.Drop(drop.batch_id); }
  void Answer(const HeldLoad& load);

  const bool durable_;
  bool hold_commits_ = false;
  bool hold_loads_ = false;
  std::deque<HeldCommit> commits_;
  std::deque<HeldLoad> loads_;
  int64_t loads_seen_ = 0;
  // The first engine may start without a Recover.
  uint32_t epoch_ = 1;
  std::map<std::string, Stored> batches_;
  engine::StagedShards staged_;
  std::map<std::string, Request> requests_;
  std::vector<engine::Sync> syncs_;
};

}  // namespace jobrunner::test
