#include "storage/store_conformance.h"

#include <atomic>
#include <numeric>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

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

std::vector<int64_t> UpTo(int64_t first, int64_t last) {
  std::vector<int64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

}  // namespace

absl::Status StoreConformance::Commit(std::vector<engine::Write> writes) {
  return Await<absl::Status>(
      [&](auto done) { store_->Commit(std::move(writes), engine::Sync::kNow, std::move(done)); });
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
    shard.bytes = std::make_shared<const std::string>(bytes);
  }
  return engine::Append{batch_id, std::move(accepted)};
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

}  // namespace jobrunner::storage
