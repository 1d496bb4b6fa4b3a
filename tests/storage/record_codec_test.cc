#include "storage/record_codec.h"

#include <chrono>
#include <limits>
#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace jobrunner::storage {
namespace {

using base::WallTime;
using engine::JobChange;
using engine::JobTransition;
using std::chrono::nanoseconds;

WallTime At(int64_t ns) { return WallTime(nanoseconds(ns)); }

engine::Accepted FullAccepted() {
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = "id";
  header->request_id = "request";
  header->fingerprint = std::string("\0\xff print", 8);
  header->spec.set_name("name");
  (*header->spec.mutable_labels())["k"] = "v";
  header->defaults.mutable_timeout()->set_seconds(7);
  header->job_count = 300;
  header->create_time = At(1'700'000'000'123'456'789);
  header->deadline = At(1'800'000'000'000'000'001);
  header->deadline_reason = jobrunner::v1::REASON_CALL_DEADLINE;
  header->bound_to_call = true;
  header->needs = {"", "resize"};
  engine::ShardTiming timing{nanoseconds(1), nanoseconds(2), nanoseconds(3), true};
  return {header, {{0, 256, nullptr, timing}, {256, 44, nullptr, {}}}};
}

engine::Changed FullChanged() {
  engine::SegmentBuilder builder(41);
  for (int i = 0; i < 3; ++i) {
    jobrunner::v1::Event event;
    event.set_sequence(builder.next_sequence());
    builder.Add(event);
  }
  engine::Changed changed;
  changed.time = At(1'700'000'000'000'000'000);
  changed.changes = {
      {.index = 5, .transition = JobTransition::kStart},
      {.index = 2, .transition = JobTransition::kSucceed, .result_sequence = 42},
      {.index = std::numeric_limits<int32_t>::max(),
       .transition = JobTransition::kFailForGood,
       .lost = true,
       .result_sequence = 41},
      {.index = 0,
       .transition = JobTransition::kCancel,
       .own_deadline = true,
       .result_sequence = 43},
      {.index = 7, .transition = JobTransition::kRetryAt, .not_before = At(12)},
      {.index = 8,
       .transition = JobTransition::kRetryAt,
       .lost = true,
       .not_before = WallTime::max()},
      {.index = 9, .transition = JobTransition::kRequeue},
      {.index = 10, .transition = JobTransition::kPutBack},
      {.index = 11,
       .transition = JobTransition::kStart,
       .remote_epoch = 7,
       .remote_number = std::numeric_limits<uint64_t>::max()},
      {.index = 12, .transition = JobTransition::kStart, .remote_epoch = 7, .remote_number = 3}};
  changed.segment = builder.Build();
  changed.finish = engine::Finish{jobrunner::v1::BATCH_STATE_FAILED, At(4), At(5)};
  return changed;
}

TEST(RecordCodecTest, GivesBackEveryFieldOfAHeader) {
  const engine::Accepted in = FullAccepted();
  const auto out = DecodeAccepted(Encode(in));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->header->id, in.header->id);
  EXPECT_EQ(out->header->request_id, in.header->request_id);
  EXPECT_EQ(out->header->fingerprint, in.header->fingerprint);
  EXPECT_EQ(out->header->spec.ShortDebugString(), in.header->spec.ShortDebugString());
  EXPECT_EQ(out->header->needs, in.header->needs);
  EXPECT_EQ(out->header->defaults.ShortDebugString(), in.header->defaults.ShortDebugString());
  EXPECT_EQ(out->header->job_count, 300);
  EXPECT_EQ(out->header->create_time, in.header->create_time);
  EXPECT_EQ(out->header->deadline, in.header->deadline);
  EXPECT_EQ(out->header->deadline_reason, in.header->deadline_reason);
  EXPECT_TRUE(out->header->bound_to_call);
  ASSERT_EQ(out->shards.size(), 2);
  EXPECT_EQ(out->shards[1].first_index, 256);
  EXPECT_EQ(out->shards[1].count, 44);
  EXPECT_EQ(out->shards[0].timing.start_timeout_min, nanoseconds(1));
  EXPECT_EQ(out->shards[0].timing.total_timeout_min, nanoseconds(2));
  EXPECT_EQ(out->shards[0].timing.delay_min, nanoseconds(3));
  EXPECT_TRUE(out->shards[0].timing.delay_unset);
  EXPECT_EQ(out->shards[1].timing.delay_min, nanoseconds::max());
}

TEST(RecordCodecTest, KeepsABatchWithoutADeadlineWithoutOne) {
  auto header = std::make_shared<engine::BatchHeader>();
  EXPECT_EQ(DecodeAccepted(Encode(engine::Accepted{header, {}}))->header->deadline,
            WallTime::max());
}

TEST(RecordCodecTest, GivesBackEveryFieldOfAChange) {
  const engine::Changed in = FullChanged();
  const auto stored = DecodeRecord(Encode(in));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->first_sequence, 41);
  EXPECT_EQ(stored->event_count, 3);
  const auto& out = std::get<engine::Changed>(stored->record);
  EXPECT_EQ(out.time, in.time);
  ASSERT_EQ(out.changes.size(), in.changes.size());
  for (size_t i = 0; i < in.changes.size(); ++i) {
    EXPECT_EQ(out.changes[i].index, in.changes[i].index) << i;
    EXPECT_EQ(out.changes[i].transition, in.changes[i].transition) << i;
    EXPECT_EQ(out.changes[i].lost, in.changes[i].lost) << i;
    EXPECT_EQ(out.changes[i].own_deadline, in.changes[i].own_deadline) << i;
    EXPECT_EQ(out.changes[i].result_sequence, in.changes[i].result_sequence) << i;
    EXPECT_EQ(out.changes[i].not_before, in.changes[i].not_before) << i;
    EXPECT_EQ(out.changes[i].remote_epoch, in.changes[i].remote_epoch) << i;
    EXPECT_EQ(out.changes[i].remote_number, in.changes[i].remote_number) << i;
  }
  ASSERT_TRUE(out.finish.has_value());
  EXPECT_EQ(out.finish->state, in.finish->state);
  EXPECT_EQ(out.finish->time, in.finish->time);
  EXPECT_EQ(out.finish->expire_time, in.finish->expire_time);
}

TEST(RecordCodecTest, GivesBackEveryFieldOfACancel) {
  engine::CancelRequested in{At(9), {3, 1}, {}};
  in.error.set_message("enough");
  const auto stored = DecodeRecord(Encode(in));
  const auto& out = std::get<engine::CancelRequested>(stored->record);
  EXPECT_EQ(out.time, in.time);
  EXPECT_EQ(out.indexes, in.indexes);
  EXPECT_EQ(out.error.message(), "enough");
}

TEST(RecordCodecTest, GivesBackSummariesRequestsAndTheStore) {
  Summary summary{{}, "request", At(3)};
  summary.batch.set_id("id");
  EXPECT_EQ(DecodeSummary(Encode(summary))->batch.id(), "id");
  EXPECT_EQ(DecodeSummary(Encode(summary))->request_id, "request");
  EXPECT_EQ(DecodeSummary(Encode(summary))->expire_time, At(3));
  const StoredRequest kept{{"id", "print", std::nullopt}, std::nullopt};
  EXPECT_FALSE(DecodeRequest(Encode(kept))->keep_until.has_value());
  EXPECT_FALSE(DecodeRequest(Encode(kept))->known.removed.has_value());
  const StoredRequest removed{{"id", "print", summary.batch}, At(8)};
  EXPECT_EQ(DecodeRequest(Encode(removed))->known.fingerprint, "print");
  EXPECT_EQ(DecodeRequest(Encode(removed))->known.removed->id(), "id");
  EXPECT_EQ(DecodeRequest(Encode(removed))->keep_until, At(8));
  EXPECT_EQ(DecodeStoreState(Encode(StoreState{1, 77}))->epoch, 77);
}

TEST(RecordCodecTest, TakesAFewBytesAJob) {
  engine::Changed changed;
  for (int32_t i = 0; i < 1000; ++i) {
    changed.changes.push_back({.index = i, .transition = JobTransition::kStart});
    changed.changes.push_back(
        {.index = i, .transition = JobTransition::kSucceed, .result_sequence = i + 1});
  }
  EXPECT_LE(Encode(changed).size(), 5 * 1000 + 50);
}

// Every byte flipped in every bit, and every length: an error, or something, but never a crash.
TEST(RecordCodecTest, SurvivesAnyDamage) {
  int refused = 0;
  const auto decode_all = [&](const std::string& bytes) {
    refused += DecodeRecord(bytes).status().code() == absl::StatusCode::kDataLoss;
    refused += DecodeAccepted(bytes).status().code() == absl::StatusCode::kDataLoss;
  };
  for (const std::string& whole : {Encode(FullChanged()), Encode(FullAccepted())}) {
    for (size_t i = 0; i < whole.size(); ++i) {
      decode_all(whole.substr(0, i));
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
        decode_all(damaged);
      }
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace jobrunner::storage
