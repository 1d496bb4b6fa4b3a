#include "engine/job_options.h"

#include "engine/proto_time.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

v1::JobOptions Options(const std::string& text) {
  v1::JobOptions options;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &options));
  return options;
}

TEST(EffectiveOptionsTest, BoundNothingUnlessSet) {
  const EffectiveOptions options;
  EXPECT_EQ(options.timeout, kNoBound);
  EXPECT_EQ(options.start_bound(), kNoBound);
  EXPECT_EQ(options.total_bound(), kNoBound);
  EXPECT_EQ(options.delay, nanoseconds(0));
  EXPECT_EQ(options.grace, seconds(5));
  EXPECT_EQ(options.max_lost_attempts, 3);
  EXPECT_EQ(options.retry_policy, nullptr);
}

TEST(EffectiveOptionsTest, AJobsOwnGoOverItsBatchs) {
  const v1::JobOptions batch =
      Options("timeout { seconds: 10 } delay { seconds: 3 } max_lost_attempts: 7");
  const v1::JobOptions job = Options("timeout { nanos: 5 } max_lost_attempts: 0");
  const EffectiveOptions options = Overlay(Overlay(EffectiveOptions(), batch), job);
  EXPECT_EQ(options.timeout, nanoseconds(5));
  EXPECT_EQ(options.delay, seconds(3));
  EXPECT_EQ(options.max_lost_attempts, 0);
}

TEST(EffectiveOptionsTest, TheStartTimeoutRunsFromTheEndOfTheDelay) {
  const v1::JobOptions job = Options("start_timeout { seconds: 10 } delay { seconds: 3 }");
  EXPECT_EQ(Overlay(EffectiveOptions(), job).start_bound(), seconds(13));
}

TEST(MergeOptionsTest, TakesWhatIsUnsetFromBelow) {
  const v1::JobOptions merged = MergeOptions(Options("timeout { nanos: 7 }"),
                                             Options("timeout { seconds: 1 } stream_output: true"));
  EXPECT_EQ(FromDuration(merged.timeout()), nanoseconds(7));
  EXPECT_TRUE(merged.stream_output());
}

TEST(MergeOptionsTest, TakesARetryPolicyAsAWhole) {
  const v1::JobOptions merged =
      MergeOptions(Options("retry_policy { max_attempts: 2 retryable_codes: 14 }"),
                   Options("retry_policy { max_attempts: 5 jitter: 0.5 retryable_codes: 4 }"));
  EXPECT_EQ(merged.retry_policy().max_attempts(), 2);
  EXPECT_FALSE(merged.retry_policy().has_jitter());
  EXPECT_EQ(merged.retry_policy().retryable_codes_size(), 1);
}

TEST(ProtoTimeTest, ComesBackAsItWent) {
  for (int64_t ns : {int64_t{0}, int64_t{1}, int64_t{1'500'000'000}, int64_t{-1}}) {
    EXPECT_EQ(FromDuration(ToDuration(nanoseconds(ns))), nanoseconds(ns));
  }
}

TEST(ProtoTimeTest, NanosecondsOfATimestampCountForward) {
  const auto before_1970 = ToTimestamp(base::WallTime(nanoseconds(-1)));
  EXPECT_EQ(before_1970.seconds(), -1);
  EXPECT_EQ(before_1970.nanos(), 999'999'999);
}

TEST(ProtoTimeTest, LaterThanTheEndOfTimeIsTheEndOfTime) {
  EXPECT_EQ(Later(base::SteadyTime(seconds(1)), kNoBound), base::SteadyTime::max());
  EXPECT_EQ(Later(base::WallTime(seconds(1)), kNoBound), base::WallTime::max());
  EXPECT_EQ(Later(base::SteadyTime(seconds(1)), seconds(1)), base::SteadyTime(seconds(2)));
}

}  // namespace
}  // namespace jobrunner::engine
