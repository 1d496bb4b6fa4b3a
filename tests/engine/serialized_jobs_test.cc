#include "engine/serialized_jobs.h"

#include <gtest/gtest.h>

#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {
namespace {

TEST(SerializedJobs, AreWalkedWithoutParsing) {
  std::string bytes;
  AppendSerializedJob("abc", &bytes);
  AppendSerializedJob("", &bytes);
  AppendSerializedJob(std::string(1000, 'x'), &bytes);
  SerializedJobs jobs(bytes);
  EXPECT_EQ(jobs.Next(), "abc");
  EXPECT_EQ(jobs.Next(), "");
  EXPECT_EQ(jobs.Next(), std::string(1000, 'x'));
  EXPECT_EQ(jobs.Next(), std::nullopt);
}

TEST(SerializedJobs, EndWhereBytesAreCutShort) {
  std::string bytes;
  AppendSerializedJob("abc", &bytes);
  bytes.pop_back();
  EXPECT_EQ(SerializedJobs(bytes).Next(), std::nullopt);
  EXPECT_EQ(SerializedJobs("\x12\x01x").Next(), std::nullopt);
}

TEST(SerializedJobs, ShowTheirKeys) {
  v1::Job job;
  job.mutable_handler()->set_name("echo");
  EXPECT_EQ(KeyOfSerializedJob(job.SerializeAsString()), "");
  job.set_key("the key");
  const std::string bytes = job.SerializeAsString();
  EXPECT_EQ(KeyOfSerializedJob(bytes), "the key");
  job.set_key("the last one counts");
  const std::string both = bytes + job.SerializeAsString();
  EXPECT_EQ(KeyOfSerializedJob(both), "the last one counts");
  EXPECT_EQ(KeyOfSerializedJob("\x0A\x7F"), "");
}

TEST(CountOfSerializedJob, IsWhatTheJobSays) {
  v1::Job job;
  job.set_key("k");
  job.mutable_handler()->set_name("echo");
  EXPECT_EQ(CountOfSerializedJob(job.SerializeAsString()), 0);
  job.set_count(1'000'000);
  EXPECT_EQ(CountOfSerializedJob(job.SerializeAsString()), 1'000'000);
  job.set_count(-1);
  EXPECT_EQ(CountOfSerializedJob(job.SerializeAsString()), -1);
  EXPECT_EQ(CountOfSerializedJob("\x30"), 0);
}

}  // namespace
}  // namespace jobrunner::engine
