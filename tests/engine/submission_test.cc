#include "engine/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

v1::Job EchoJob(const std::string& payload) {
  v1::Job job;
  job.mutable_handler()->set_name("echo");
  job.mutable_handler()->set_payload(payload);
  return job;
}

v1::BatchSpec BatchOf(int32_t count, size_t payload_bytes = 1) {
  v1::BatchSpec spec;
  spec.set_name("a batch");
  for (int32_t i = 0; i < count; ++i) *spec.add_jobs() = EchoJob(std::string(payload_bytes, 'x'));
  return spec;
}

TEST(MakeSubmission, KeepsTheDescriptionAndEveryJob) {
  v1::BatchSpec spec = BatchOf(600);
  spec.mutable_jobs(599)->set_key("last");
  const auto submission = MakeSubmission("id", spec);
  ASSERT_TRUE(submission.ok()) << submission.status();
  EXPECT_EQ(submission->batch_id, "id");
  EXPECT_EQ(submission->job_count, 600);
  EXPECT_EQ(submission->spec.name(), "a batch");
  EXPECT_EQ(submission->spec.jobs_size(), 0);

  int32_t next = 0;
  for (const SubmittedShard& submitted : submission->shards) {
    EXPECT_EQ(submitted.shard.first_index, next);
    const auto jobs = ShardJobs::Parse("id", next, *submitted.shard.bytes);
    ASSERT_TRUE(jobs.ok());
    ASSERT_EQ((*jobs)->size(), submitted.shard.count);
    for (int32_t i = 0; i < submitted.shard.count; ++i, ++next) {
      EXPECT_EQ((*jobs)->job(next).SerializeAsString(), spec.jobs(next).SerializeAsString());
    }
  }
  EXPECT_EQ(next, 600);
}

TEST(MakeSubmission, RefusesATextThatIsNotUtf8) {
  v1::BatchSpec spec = BatchOf(300);
  spec.mutable_jobs(290)->set_key("\xff");
  const auto submission = MakeSubmission("id", spec);
  EXPECT_EQ(submission.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(submission.status().message()), HasSubstr("batch.jobs[290]:"));
}

TEST(ShardCutter, CutsAtTheNumberOfJobs) {
  EXPECT_THAT(MakeSubmission("id", BatchOf(kJobsPerShardMax))->shards, SizeIs(1));
  EXPECT_THAT(MakeSubmission("id", BatchOf(kJobsPerShardMax + 1))->shards, SizeIs(2));
}

TEST(ShardCutter, CutsAtTheNumberOfBytes) {
  const auto submission = MakeSubmission("id", BatchOf(10, kShardBytesMax / 3));
  ASSERT_TRUE(submission.ok());
  ASSERT_THAT(submission->shards, SizeIs(5));
  for (const SubmittedShard& submitted : submission->shards) {
    EXPECT_LE(submitted.shard.bytes->size(), static_cast<size_t>(kShardBytesMax));
  }
}

TEST(ShardCutter, GivesALargeJobAShardOfItsOwn) {
  v1::BatchSpec spec = BatchOf(3);
  *spec.mutable_jobs(1) = EchoJob(std::string(2 * kShardBytesMax, 'x'));
  EXPECT_THAT(MakeSubmission("id", spec)->shards, SizeIs(3));
}

TEST(ShardCutter, KeepsTheFirstShardsParsed) {
  const auto submission =
      MakeSubmission("id", BatchOf((kShardsKeptParsedMax + 1) * kJobsPerShardMax));
  ASSERT_THAT(submission->shards, SizeIs(kShardsKeptParsedMax + 1));
  for (int32_t i = 0; i < kShardsKeptParsedMax; ++i) EXPECT_NE(submission->shards[i].jobs, nullptr);
  EXPECT_EQ(submission->shards.back().jobs, nullptr);
}

TEST(ShardCutter, ShowsEveryJobOnceAndInOrder) {
  std::vector<std::string> seen;
  ShardCutter cutter("id", {}, [&](int32_t position, const v1::Job& job) {
    EXPECT_EQ(position, static_cast<int32_t>(seen.size()));
    seen.push_back(job.handler().payload());
  });
  for (int32_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(cutter.Add(EchoJob(std::to_string(i)).SerializeAsString()).ok());
  }
  EXPECT_EQ(cutter.job_count(), 1000);
  ASSERT_TRUE(cutter.Finish().ok());
  ASSERT_THAT(seen, SizeIs(1000));
  for (int32_t i = 0; i < 1000; ++i) EXPECT_EQ(seen[i], std::to_string(i));
}

TEST(ShardCutter, NamesAJobThatIsMalformed) {
  ShardCutter cutter("id", {});
  ASSERT_TRUE(cutter.Add(EchoJob("a").SerializeAsString()).ok());
  ASSERT_TRUE(cutter.Add("\x0A\x7F").ok());
  const auto shards = cutter.Finish();
  EXPECT_EQ(shards.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(shards.status().message()), HasSubstr("batch.jobs[1]:"));
}

TEST(ShardCutter, GivesAwayEachShardWhenItIsCut) {
  std::vector<std::string> taken;
  ShardCutter cutter("id", {}, nullptr, [&](SubmittedShard* submitted) {
    taken.push_back(*submitted->shard.bytes);
    submitted->shard.bytes.reset();
    return absl::OkStatus();
  });
  for (int32_t i = 0; i < kJobsPerShardMax + 1; ++i) {
    ASSERT_TRUE(cutter.Add(EchoJob(std::to_string(i)).SerializeAsString()).ok());
  }
  EXPECT_THAT(taken, SizeIs(1));
  const auto shards = cutter.Finish();
  ASSERT_TRUE(shards.ok());
  ASSERT_THAT(*shards, SizeIs(2));
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_EQ((*shards)[1].shard.bytes, nullptr);
  EXPECT_EQ((*shards)[1].shard.first_index, kJobsPerShardMax);
  EXPECT_EQ(cutter.bytes(), static_cast<int64_t>(taken[0].size() + taken[1].size()));
}

TEST(ShardCutter, EndsWithTheErrorOfWhoTakesTheShards) {
  ShardCutter cutter("id", {}, nullptr,
                     [](SubmittedShard*) { return absl::ResourceExhaustedError("full"); });
  ASSERT_TRUE(cutter.Add(EchoJob("a").SerializeAsString()).ok());
  EXPECT_EQ(cutter.Finish().status().code(), absl::StatusCode::kResourceExhausted);
}

// A description of 100 KB for each of a million jobs would be as many copies of it.
TEST(ShardCutter, KeepsOfAnArrayNoMoreThanTheBytesThatMayBe) {
  constexpr int64_t kBytesMax = 1'000'000;
  int64_t kept = 0;
  ShardCutter cutter("id", {.bytes_max = kBytesMax}, nullptr, [&](SubmittedShard* submitted) {
    kept += static_cast<int64_t>(submitted->shard.bytes->size());
    return absl::OkStatus();
  });
  v1::Job array = EchoJob(std::string(100'000, 'x'));
  array.set_count(1'000'000);
  ASSERT_TRUE(cutter.Add(array.SerializeAsString()).ok());
  EXPECT_EQ(cutter.job_count(), 1'000'000);
  EXPECT_GT(cutter.bytes(), kBytesMax);
  EXPECT_LE(kept, kBytesMax + 200'000);
}

TEST(ShardTiming, HasTheShortestThatJobsSetThemselves) {
  v1::BatchSpec spec = BatchOf(3);
  spec.mutable_jobs(0)->mutable_options()->mutable_start_timeout()->set_seconds(20);
  spec.mutable_jobs(1)->mutable_options()->mutable_start_timeout()->set_seconds(10);
  spec.mutable_jobs(1)->mutable_options()->mutable_delay()->set_seconds(5);
  spec.mutable_jobs(2)->mutable_options()->mutable_total_timeout()->set_seconds(30);
  const ShardTiming timing = MakeSubmission("id", spec)->shards[0].shard.timing;
  EXPECT_EQ(timing.start_timeout_min, seconds(10));
  EXPECT_EQ(timing.total_timeout_min, seconds(30));
  EXPECT_EQ(timing.delay_min, seconds(5));
  EXPECT_TRUE(timing.delay_unset);
}

TEST(ShardTiming, OfJobsThatSetNothingIsUnbounded) {
  const ShardTiming timing = MakeSubmission("id", BatchOf(3))->shards[0].shard.timing;
  EXPECT_EQ(timing.start_timeout_min, std::chrono::nanoseconds::max());
  EXPECT_EQ(timing.total_timeout_min, std::chrono::nanoseconds::max());
  EXPECT_EQ(timing.delay_min, std::chrono::nanoseconds::max());
}

TEST(ShardTiming, OfJobsThatAllHaveADelayHasIt) {
  v1::BatchSpec spec = BatchOf(1);
  spec.mutable_jobs(0)->mutable_options()->mutable_delay();
  const ShardTiming timing = MakeSubmission("id", spec)->shards[0].shard.timing;
  EXPECT_EQ(timing.delay_min, seconds(0));
  EXPECT_FALSE(timing.delay_unset);
}

TEST(ShardTiming, SurvivesDurationsThatValidationWillRefuse) {
  v1::BatchSpec spec = BatchOf(1);
  v1::JobOptions* options = spec.mutable_jobs(0)->mutable_options();
  options->mutable_delay()->set_seconds(std::numeric_limits<int64_t>::max());
  options->mutable_total_timeout()->set_seconds(std::numeric_limits<int64_t>::min());
  EXPECT_TRUE(MakeSubmission("id", spec).ok());
}

}  // namespace
}  // namespace jobrunner::engine
