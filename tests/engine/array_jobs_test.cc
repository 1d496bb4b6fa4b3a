#include "engine/array_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/limits.h"
#include "engine/submission.h"
#include "google/protobuf/text_format.h"

namespace jobrunner::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

v1::Job JobFrom(const std::string& text) {
  v1::Job job;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &job)) << text;
  return job;
}

v1::Job EchoArray(int32_t count, const std::string& payload = "{index}") {
  v1::Job job;
  job.mutable_handler()->set_name("echo");
  job.mutable_handler()->set_payload(payload);
  job.set_key("e");
  job.set_count(count);
  return job;
}

v1::Job EchoJob(const std::string& payload) {
  v1::Job job;
  job.mutable_handler()->set_name("echo");
  job.mutable_handler()->set_payload(payload);
  return job;
}

// All jobs of a submission as they are when they are run, with their shards as they are stored.
std::vector<v1::Job> Expanded(const Submission& submission) {
  std::vector<v1::Job> all;
  for (const SubmittedShard& submitted : submission.shards) {
    const Shard& shard = submitted.shard;
    EXPECT_EQ(shard.first_index, static_cast<int32_t>(all.size()));
    EXPECT_LE(shard.count, kJobsPerShardMax);
    const auto jobs = ShardJobs::Parse("id", shard.first_index, *shard.bytes);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    EXPECT_EQ((*jobs)->size(), shard.count);
    for (int32_t i = 0; i < shard.count; ++i) all.push_back((*jobs)->job(shard.first_index + i));
  }
  EXPECT_EQ(submission.job_count, static_cast<int32_t>(all.size()));
  return all;
}

TEST(ExpandElement, FillsInTheNumberWherePlaceholdersAreAllowed) {
  const v1::Job array = JobFrom(R"(
      key: "k" count: 20
      command {
        argv: "{index}.sh" argv: "--n={index}{index}" argv: "{inde}"
        env { key: "N" value: "<{index}>" } working_directory: "/d/{index}" stdin: "{index}\n"
      }
      options { timeout { seconds: 3 } })");
  v1::Job job;
  ExpandElement(array, 17, &job);
  const v1::Job expected = JobFrom(R"(
      key: "k[17]"
      command {
        argv: "17.sh" argv: "--n=1717" argv: "{inde}"
        env { key: "N" value: "<17>" } working_directory: "/d/17" stdin: "17\n"
      }
      options { timeout { seconds: 3 } })");
  EXPECT_EQ(job.DebugString(), expected.DebugString());
}

TEST(ExpandElement, FillsInTheNumberInRequests) {
  const v1::Job array = JobFrom(R"(
      count: 20
      http {
        method: "POST" url: "http://h{index}/{index}?{index}"
        headers { key: "X-{index}" value: "<{index}>" } body: "{\"n\": {index}}"
      })");
  v1::Job job;
  ExpandElement(array, 17, &job);
  const v1::Job expected = JobFrom(R"(
      http {
        method: "POST" url: "http://h17/17?17"
        headers { key: "X-{index}" value: "<17>" } body: "{\"n\": 17}"
      })");
  EXPECT_EQ(job.DebugString(), expected.DebugString());
}

TEST(ExpandElement, LeavesAnArrayWithoutAKeyWithout) {
  v1::Job array = EchoArray(3);
  array.clear_key();
  v1::Job job;
  ExpandElement(array, 2, &job);
  EXPECT_EQ(job.key(), "");
  EXPECT_EQ(job.handler().payload(), "2");
}

TEST(ArrayJobs, StandBetweenOtherJobsWithIndexesOfTheirOwn) {
  v1::BatchSpec spec;
  *spec.add_jobs() = EchoJob("first");
  *spec.add_jobs() = EchoArray(600);
  *spec.add_jobs() = EchoArray(1, "alone {index}");
  spec.mutable_jobs(2)->set_key("f");
  *spec.add_jobs() = EchoJob("last");
  const auto submission = MakeSubmission("id", spec);
  ASSERT_TRUE(submission.ok()) << submission.status();
  const std::vector<v1::Job> jobs = Expanded(*submission);
  ASSERT_THAT(jobs, SizeIs(603));
  EXPECT_EQ(jobs[0].handler().payload(), "first");
  for (int32_t i = 0; i < 600; ++i) {
    EXPECT_EQ(jobs[1 + i].key(), "e[" + std::to_string(i) + "]");
    EXPECT_EQ(jobs[1 + i].handler().payload(), std::to_string(i));
    EXPECT_EQ(jobs[1 + i].count(), 0);
  }
  EXPECT_EQ(jobs[601].key(), "f[0]");
  EXPECT_EQ(jobs[601].handler().payload(), "alone 0");
  EXPECT_EQ(jobs[602].handler().payload(), "last");
}

TEST(ArrayJobs, CostAShardForEach256AndOnlyItsDescription) {
  v1::BatchSpec spec;
  *spec.add_jobs() = EchoArray(1'000'000, std::string(1000, 'x'));
  const auto submission = MakeSubmission("id", spec);
  ASSERT_TRUE(submission.ok()) << submission.status();
  EXPECT_EQ(submission->job_count, 1'000'000);
  ASSERT_THAT(submission->shards, SizeIs((1'000'000 + kJobsPerShardMax - 1) / kJobsPerShardMax));
  for (const SubmittedShard& submitted : submission->shards) {
    EXPECT_LT(submitted.shard.bytes->size(), 1100u);
  }
}

TEST(ArrayJobs, ThatAreLargeAreCutByTheBytesOfTheirElements) {
  v1::BatchSpec spec;
  *spec.add_jobs() = EchoArray(10, std::string(kShardBytesMax / 3, 'x'));
  const auto submission = MakeSubmission("id", spec);
  ASSERT_TRUE(submission.ok()) << submission.status();
  std::vector<int32_t> counts;
  for (const SubmittedShard& submitted : submission->shards) {
    counts.push_back(submitted.shard.count);
  }
  EXPECT_THAT(counts, ElementsAre(2, 2, 2, 2, 2));
  EXPECT_THAT(Expanded(*submission), SizeIs(10));
}

TEST(ArrayJobs, AreShownToTheVisitorOnceAndWhole) {
  v1::BatchSpec spec;
  *spec.add_jobs() = EchoJob("a");
  *spec.add_jobs() = EchoArray(1000);
  *spec.add_jobs() = EchoJob("b");
  std::vector<std::pair<int32_t, int32_t>> seen;
  ASSERT_TRUE(MakeSubmission("id", spec, [&](int32_t position, const v1::Job& job) {
                seen.emplace_back(position, job.count());
              }).ok());
  EXPECT_THAT(seen, ElementsAre(std::pair(0, 0), std::pair(1, 1000), std::pair(2, 0)));
}

TEST(ArrayJobs, AreCountedButNotKeptWhenThereAreTooMany) {
  ShardCutter cutter("id", {.jobs_max = 1000});
  ASSERT_TRUE(cutter.Add(EchoArray(999).SerializeAsString()).ok());
  ASSERT_TRUE(cutter.Add(EchoArray(2'000'000'000).SerializeAsString()).ok());
  ASSERT_TRUE(cutter.Add(EchoArray(2'000'000'000).SerializeAsString()).ok());
  EXPECT_EQ(cutter.job_count(), 4'000'000'999);
  const auto shards = cutter.Finish();
  ASSERT_TRUE(shards.ok());
  EXPECT_THAT(*shards, SizeIs(4));
}

TEST(ArrayJobs, OfANegativeCountAreRefused) {
  v1::BatchSpec spec;
  *spec.add_jobs() = EchoJob("a");
  *spec.add_jobs() = EchoArray(-1);
  const auto submission = MakeSubmission("id", spec);
  EXPECT_EQ(submission.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(submission.status().message()), HasSubstr("batch.jobs[1].count:"));
}

}  // namespace
}  // namespace jobrunner::engine
