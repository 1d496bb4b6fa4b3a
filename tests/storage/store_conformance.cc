#include "storage/store_conformance.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "storage/store_writes.h"

namespace jobrunner::storage {

using testing::ElementsAre;
using testing::IsEmpty;

namespace {

// Calls `ask` with a callback, and waits for what it is called with.
template <typename Answer, typename Ask>
Answer Await(const Ask& ask) {
  std::optional<Answer> answer;
  absl::Notification answered;
  ask([&](Answer given) {
    answer = std::move(given);
    answered.Notify();
  });
  answered.WaitForNotification();
  return *std::move(answer);
}

base::WallTime At(int64_t seconds) { return base::WallTime(std::chrono::seconds(seconds)); }

std::vector<int64_t> UpTo(int64_t first, int64_t last) {
  std::vector<int64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

}  // namespace

absl::Status StoreConformance::Commit(std::vector<engine::Write> writes, engine::Sync sync) {
  return Await<absl::Status>(
      [&](auto done) { store_->Commit(std::move(writes), sync, std::move(done)); });
}

absl::StatusOr<std::shared_ptr<const engine::Batch>> StoreConformance::Find(
    const std::string& batch_id) {
  return Await<absl::StatusOr<std::shared_ptr<const engine::Batch>>>(
      [&](auto done) { store_->FindBatch(batch_id, std::move(done)); });
}

absl::StatusOr<engine::KnownRequest> StoreConformance::Request(const std::string& request_id) {
  return Await<absl::StatusOr<engine::KnownRequest>>(
      [&](auto done) { store_->FindRequest(request_id, std::move(done)); });
}

engine::Expired StoreConformance::ExpiredAt(int64_t now, int32_t max) {
  return Await<absl::StatusOr<engine::Expired>>(
             [&](auto done) { store_->FindExpired(At(now), max, std::move(done)); })
      .value();
}

engine::BatchPage StoreConformance::List(const engine::BatchFilter& filter,
                                         const std::string& before_id, int32_t page_size) {
  return Await<absl::StatusOr<engine::BatchPage>>([&](auto done) {
           store_->ListFinished(filter, before_id, page_size, std::move(done));
         })
      .value();
}

std::vector<std::string> StoreConformance::ListAll(const engine::BatchFilter& filter,
                                                   int32_t page_size) {
  std::vector<std::string> ids;
  std::string before_id;
  do {
    engine::BatchPage page = List(filter, before_id, page_size);
    EXPECT_LE(page.batches.size(), static_cast<size_t>(page_size));
    for (const v1::Batch& batch : page.batches) ids.push_back(batch.id());
    before_id = page.next_before_id;
  } while (!before_id.empty());
  return ids;
}

void StoreConformance::Reopen() {
  store_.reset();
  store_ = GetParam()(directory_.path());
}

absl::StatusOr<std::string> StoreConformance::Load(const std::string& batch_id,
                                                   int32_t first_index) {
  using Bytes = std::shared_ptr<const std::string>;
  auto bytes = Await<absl::StatusOr<Bytes>>(
      [&](auto done) { store_->LoadShard(batch_id, first_index, std::move(done)); });
  if (!bytes.ok()) return bytes.status();
  return **bytes;
}

absl::StatusOr<engine::LogPage> StoreConformance::Read(const std::string& batch_id, int64_t after,
                                                       int64_t bytes_max) {
  return Await<absl::StatusOr<engine::LogPage>>(
      [&](auto done) { store_->ReadLog(batch_id, after, bytes_max, std::move(done)); });
}

engine::Write StoreConformance::Accept(const std::string& batch_id,
                                       const std::vector<std::string>& shards) {
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = batch_id;
  header->job_count = static_cast<int32_t>(shards.size());
  engine::Accepted accepted{header, {}};
  for (const std::string& bytes : shards) {
    engine::Shard& shard = accepted.shards.emplace_back();
    shard.first_index = static_cast<int32_t>(accepted.shards.size()) - 1;
    shard.count = 1;
    if (!bytes.empty()) shard.bytes = std::make_shared<const std::string>(bytes);
  }
  return engine::Append{batch_id, std::move(accepted)};
}

engine::Write StoreConformance::Stage(const std::string& batch_id, int32_t index,
                                      const std::string& bytes) {
  return engine::StageShard{batch_id, {index, 1, std::make_shared<const std::string>(bytes), {}}};
}

engine::Write StoreConformance::Events(const std::string& batch_id, int64_t first, int64_t count,
                                       bool finish) {
  engine::SegmentBuilder builder(first);
  for (int64_t i = 0; i < count; ++i) {
    v1::Event event;
    event.set_sequence(builder.next_sequence());
    event.mutable_output()->set_output(std::to_string(event.sequence()));
    builder.Add(event);
  }
  engine::Changed changed;
  changed.segment = builder.Build();
  if (finish) changed.finish = engine::Finish{v1::BATCH_STATE_SUCCEEDED, {}, {}};
  return engine::Append{batch_id, std::move(changed)};
}

std::vector<int64_t> StoreConformance::ReadAll(const std::string& batch_id, int64_t after,
                                               int64_t bytes_max) {
  std::vector<int64_t> sequences;
  for (;;) {
    const auto page = Read(batch_id, after, bytes_max);
    if (!page.ok() || page->segments.empty()) return sequences;
    for (const auto& segment : page->segments) {
      for (int64_t s = std::max(after + 1, segment->first_sequence());
           s <= segment->last_sequence(); ++s) {
        EXPECT_EQ(segment->EventAt(s).output().output(), std::to_string(s));
        sequences.push_back(s);
      }
    }
    after = sequences.empty() ? after : sequences.back();
  }
}

TEST_P(StoreConformance, GivesBackEachShardOfABatch) {
  ASSERT_TRUE(Commit({Accept("a", {"first", "second"}), Accept("b", {"other"})}).ok());
  EXPECT_EQ(Load("a", 0).value(), "first");
  EXPECT_EQ(Load("a", 1).value(), "second");
  EXPECT_EQ(Load("b", 0).value(), "other");
}

TEST_P(StoreConformance, KnowsNoShardThatWasNotStored) {
  ASSERT_TRUE(Commit({Accept("a", {"first"})}).ok());
  EXPECT_EQ(Load("a", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Load("nobody", 0).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConformance, ReadsAnEmptyLogOfABatchWithoutEvents) {
  ASSERT_TRUE(Commit({Accept("a", {"x"})}).ok());
  const auto page = Read("a", 0);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->segments, IsEmpty());
  EXPECT_FALSE(page->finished);
}

TEST_P(StoreConformance, KnowsNoLogOfABatchThatWasNotStored) {
  EXPECT_EQ(Read("nobody", 0).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConformance, ReadsTheLogFromEveryCursorInPagesOfAnySize) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Events("a", 1, 3)}).ok());
  ASSERT_TRUE(Commit({Events("a", 4, 1)}).ok());
  ASSERT_TRUE(Commit({Events("a", 5, 5)}).ok());
  for (int64_t after = 0; after < 9; ++after) {
    for (int64_t bytes_max : {0, 1, 20, 1 << 20}) {
      EXPECT_EQ(ReadAll("a", after, bytes_max), UpTo(after + 1, 9)) << after << " " << bytes_max;
    }
  }
  EXPECT_THAT(ReadAll("a", 9, 1), IsEmpty());
  EXPECT_THAT(ReadAll("a", 1000, 1), IsEmpty());
}

TEST_P(StoreConformance, SaysThatALogIsFinishedWithItsLastPageAlone) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Events("a", 1, 2)}).ok());
  EXPECT_FALSE(Read("a", 0)->finished);
  ASSERT_TRUE(Commit({Events("a", 3, 1, /*finish=*/true)}).ok());
  EXPECT_FALSE(Read("a", 0, 1)->finished);
  EXPECT_TRUE(Read("a", 2, 1)->finished);
  EXPECT_TRUE(Read("a", 3)->finished);
}

TEST_P(StoreConformance, KeepsTheLogsOfBatchesApart) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Accept("b", {"y"}), Events("a", 1, 2), Events("b", 1, 1),
                      Events("a", 3, 1)})
                  .ok());
  EXPECT_THAT(ReadAll("a", 0, 1), ElementsAre(1, 2, 3));
  EXPECT_THAT(ReadAll("b", 0, 1), ElementsAre(1));
}

TEST_P(StoreConformance, ForgetsABatchThatIsRemovedAndNoOther) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Events("a", 1, 1), Accept("ab", {"y"})}).ok());
  ASSERT_TRUE(Commit({engine::Remove{"a"}}).ok());
  EXPECT_EQ(Read("a", 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Load("a", 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Load("ab", 0).value(), "y");
}

TEST_P(StoreConformance, KeepsASegmentThatAReaderHoldsAfterItsBatchIsRemoved) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Events("a", 1, 2)}).ok());
  const auto page = Read("a", 0);
  ASSERT_TRUE(Commit({engine::Remove{"a"}}).ok());
  EXPECT_EQ(page->segments.front()->EventAt(2).output().output(), "2");
}

TEST_P(StoreConformance, AnswersCommitsInTheirOrder) {
  constexpr int kCommits = 100;
  absl::Mutex mutex;
  std::vector<int64_t> answered;
  ASSERT_TRUE(Commit({Accept("a", {"x"})}).ok());
  for (int i = 1; i <= kCommits; ++i) {
    store_->Commit({Events("a", i, 1)}, engine::Sync::kNow, [&, i](absl::Status status) {
      EXPECT_TRUE(status.ok());
      absl::MutexLock lock(&mutex);
      answered.push_back(i);
    });
  }
  absl::MutexLock lock(&mutex);
  const auto all_answered = [&] { return answered.size() == kCommits; };
  mutex.Await(absl::Condition(&all_answered));
  EXPECT_EQ(answered, UpTo(1, kCommits));
}

TEST_P(StoreConformance, IsReadWhileItIsWritten) {
  constexpr int64_t kSegments = 500;
  ASSERT_TRUE(Commit({Accept("a", {"x"})}).ok());
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([this] {
      int64_t last = 0;
      for (bool finished = false; !finished;) {
        const auto page = Read("a", last, 100);
        ASSERT_TRUE(page.ok());
        for (const auto& segment : page->segments) {
          ASSERT_EQ(segment->first_sequence(), last + 1);
          last = segment->last_sequence();
        }
        finished = page->finished;
      }
      EXPECT_EQ(last, 2 * kSegments);
    });
  }
  for (int64_t i = 0; i < kSegments; ++i) {
    ASSERT_TRUE(Commit({Events("a", 2 * i + 1, 2, i + 1 == kSegments)}).ok());
  }
  for (std::thread& reader : readers) reader.join();
}

TEST_P(DurableStoreConformance, RaisesTheEpochWithEachRecovery) {
  const uint32_t first = store_->Recover()->epoch;
  Reopen();
  EXPECT_GT(store_->Recover()->epoch, first);
}

TEST_P(DurableStoreConformance, GivesBackWhatIsUnfinishedInTheOrderOfTheIds) {
  ASSERT_TRUE(Commit(Whole({.id = "c"})).ok());
  ASSERT_TRUE(Commit({Accept("b", {"x", "y"}), Start("b"), Events("b", 1, 3)}).ok());
  ASSERT_TRUE(Commit({Accept("a", {"z"})}, engine::Sync::kWithNext).ok());
  Reopen();
  const auto recovery = store_->Recover();
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  ASSERT_EQ(recovery->unfinished.size(), 2);
  const engine::Batch& batch = *recovery->unfinished[1];
  EXPECT_EQ(recovery->unfinished[0]->id(), "a");
  EXPECT_EQ(batch.id(), "b");
  EXPECT_EQ(batch.Job(0).state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(batch.Job(1).state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(batch.last_sequence(), 3);
  EXPECT_EQ(batch.shards()[1].bytes, nullptr);
  EXPECT_EQ(Load("b", 1).value(), "y");
}

TEST_P(DurableStoreConformance, GoesOnWithABatchThatItGaveBack) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Start("a")}).ok());
  Reopen();
  ASSERT_TRUE(store_->Recover().ok());
  EXPECT_THAT(Read("a", 0)->segments, IsEmpty());
  ASSERT_TRUE(Commit({End({.id = "a"})}).ok());
  EXPECT_TRUE(Read("a", 0)->finished);
  Reopen();
  EXPECT_THAT(store_->Recover()->unfinished, IsEmpty());
  EXPECT_TRUE(Read("a", 0)->finished);
  EXPECT_TRUE(Read("a", 2)->finished);
  EXPECT_EQ(Find("a").value()->Job(0).state, v1::JOB_STATE_SUCCEEDED);
}

TEST_P(DurableStoreConformance, ReadsTheSameLogAfterItWasReopened) {
  ASSERT_TRUE(Commit({Accept("a", {"x"}), Events("a", 1, 3), Events("a", 4, 5)}).ok());
  Reopen();
  ASSERT_TRUE(store_->Recover().ok());
  for (int64_t after = 0; after < 8; ++after) {
    for (int64_t bytes_max : {0, 20, 1 << 20}) {
      EXPECT_EQ(ReadAll("a", after, bytes_max), UpTo(after + 1, 8)) << after << " " << bytes_max;
    }
  }
  ASSERT_TRUE(Commit({Events("a", 9, 1)}).ok());
  EXPECT_EQ(ReadAll("a", 2, 1), UpTo(3, 9));
}

TEST_P(DurableStoreConformance, FindsAFinishedBatchAndNoOther) {
  ASSERT_TRUE(Commit(Whole({.id = "a", .state = v1::BATCH_STATE_FAILED})).ok());
  ASSERT_TRUE(Commit({Accept("b", {"x"})}).ok());
  EXPECT_EQ(Find("a").value()->state(), v1::BATCH_STATE_FAILED);
  EXPECT_EQ(Find("a").value()->Job(0).result_sequence, 1);
  EXPECT_EQ(Find("nobody").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Commit({engine::Remove{"a"}}).ok());
  EXPECT_EQ(Find("a").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(DurableStoreConformance, DescribesAFinishedBatchAsItsFoldDoes) {
  for (const auto state : {v1::BATCH_STATE_SUCCEEDED, v1::BATCH_STATE_FAILED}) {
    const std::string id = v1::BatchState_Name(state);
    ASSERT_TRUE(Commit(Whole({.id = id, .state = state, .labels = {{"k", "v"}}})).ok());
    const engine::BatchPage page = List({.states = {state}}, "", 10);
    ASSERT_EQ(page.batches.size(), 1);
    EXPECT_EQ(page.batches[0].ShortDebugString(), Find(id).value()->Describe().ShortDebugString());
  }
}

TEST_P(DurableStoreConformance, ListsFinishedBatchesByFilterNewestFirstInPagesOfAnySize) {
  const auto failed = v1::BATCH_STATE_FAILED;
  ASSERT_TRUE(Commit(Whole({.id = "a", .labels = {{"team", "x"}}})).ok());
  ASSERT_TRUE(Commit(Whole({.id = "b", .queue = "other", .state = failed})).ok());
  ASSERT_TRUE(
      Commit(Whole({.id = "c", .queue = "other", .labels = {{"team", "x"}, {"n", "1"}}})).ok());
  ASSERT_TRUE(Commit(Whole({.id = "d", .state = failed, .labels = {{"team", "y"}}})).ok());
  ASSERT_TRUE(Commit({Accept("e", {"it has not finished"})}).ok());
  for (const int32_t size : {1, 2, 3, 100}) {
    EXPECT_THAT(ListAll({}, size), ElementsAre("d", "c", "b", "a"));
    EXPECT_THAT(ListAll({.states = {failed}}, size), ElementsAre("d", "b"));
    EXPECT_THAT(ListAll({.states = {failed, v1::BATCH_STATE_SUCCEEDED}}, size),
                ElementsAre("d", "c", "b", "a"));
    EXPECT_THAT(ListAll({.queue = "other"}, size), ElementsAre("c", "b"));
    EXPECT_THAT(ListAll({.queue = "other", .states = {failed}}, size), ElementsAre("b"));
    EXPECT_THAT(ListAll({.labels = {{"team", "x"}}}, size), ElementsAre("c", "a"));
    EXPECT_THAT(ListAll({.labels = {{"team", "x"}, {"n", "1"}}}, size), ElementsAre("c"));
    EXPECT_THAT(ListAll({.queue = "nobody's"}, size), IsEmpty());
  }
  ASSERT_TRUE(Commit({engine::Remove{"c"}}).ok());
  EXPECT_THAT(ListAll({}, 2), ElementsAre("d", "b", "a"));
  EXPECT_THAT(ListAll({.labels = {{"team", "x"}}}, 2), ElementsAre("a"));
}

TEST_P(DurableStoreConformance, KnowsARequestUntilItIsForgotten) {
  ASSERT_TRUE(Commit(Whole({.id = "a", .request_id = "r"})).ok());
  EXPECT_EQ(Request("other").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Request("r")->batch_id, "a");
  EXPECT_EQ(Request("r")->fingerprint, "print of r");
  EXPECT_FALSE(Request("r")->removed.has_value());
  ASSERT_TRUE(Commit({engine::Remove{"a", At(50)}}).ok());
  Reopen();
  ASSERT_TRUE(Request("r")->removed.has_value());
  EXPECT_EQ(Request("r")->removed->state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_THAT(ExpiredAt(49).request_ids, IsEmpty());
  EXPECT_THAT(ExpiredAt(50).request_ids, ElementsAre("r"));
  ASSERT_TRUE(Commit({engine::ForgetRequest{"r"}}).ok());
  EXPECT_EQ(Request("r").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ExpiredAt(100).request_ids, IsEmpty());
}

TEST_P(DurableStoreConformance, FindsWhatHasExpiredSoonestFirst) {
  ASSERT_TRUE(Commit(Whole({.id = "a", .expire_time = 30})).ok());
  ASSERT_TRUE(Commit(Whole({.id = "b", .expire_time = 10})).ok());
  ASSERT_TRUE(Commit(Whole({.id = "c", .expire_time = 20})).ok());
  EXPECT_THAT(ExpiredAt(9).batch_ids, IsEmpty());
  EXPECT_THAT(ExpiredAt(10).batch_ids, ElementsAre("b"));
  EXPECT_THAT(ExpiredAt(100).batch_ids, ElementsAre("b", "c", "a"));
  EXPECT_THAT(ExpiredAt(100, 2).batch_ids, ElementsAre("b", "c"));
  ASSERT_TRUE(Commit({engine::Remove{"b", At(0)}}).ok());
  EXPECT_THAT(ExpiredAt(100).batch_ids, ElementsAre("c", "a"));
}

TEST_P(DurableStoreConformance, AcceptsFinishesAndRemovesInOneCommit) {
  std::vector<engine::Write> writes = Whole({.id = "a", .request_id = "r"});
  writes.push_back(engine::Remove{"a", At(5)});
  ASSERT_TRUE(Commit(std::move(writes)).ok());
  EXPECT_EQ(Find("a").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Read("a", 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ListAll({}, 10), IsEmpty());
  EXPECT_TRUE(Request("r")->removed.has_value());
  ASSERT_TRUE(Commit({engine::ForgetRequest{"r"}}).ok());
  EXPECT_FALSE(Request("r").ok());
}

}  // namespace jobrunner::storage
