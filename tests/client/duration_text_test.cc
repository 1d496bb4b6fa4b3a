#include "client/duration_text.h"

#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

TEST(ParseDuration, TakesSecondsAndUnits) {
  EXPECT_EQ(ParseDuration("10").value(), absl::Seconds(10));
  EXPECT_EQ(ParseDuration("0.25").value(), absl::Milliseconds(250));
  EXPECT_EQ(ParseDuration("500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseDuration("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("2d").value(), absl::Hours(48));
  EXPECT_EQ(ParseDuration("0").value(), absl::ZeroDuration());
}

TEST(ParseDuration, RefusesTheRestAndShowsIt) {
  for (const char* text : {"", "x", "-1", "-5s", "inf", "nan", "10%", "1 s"}) {
    const auto duration = ParseDuration(text);
    ASSERT_EQ(duration.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(duration.status().message().find(text), absl::string_view::npos);
  }
}

TEST(DurationText, IsAsLongAsItHasToBe) {
  EXPECT_EQ(DurationText(absl::Microseconds(1500)), "1 ms");
  EXPECT_EQ(DurationText(absl::Microseconds(150)), "0.1 ms");
  EXPECT_EQ(DurationText(absl::Milliseconds(234)), "234 ms");
  EXPECT_EQ(DurationText(absl::Milliseconds(1500)), "1.50 s");
  EXPECT_EQ(DurationText(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(DurationText(absl::Seconds(120)), "2 min");
  EXPECT_EQ(DurationText(absl::Minutes(125)), "2 h 5 min");
}

TEST(ToProto, KeepsFractions) {
  const auto proto = ToProto(absl::Milliseconds(1250));
  EXPECT_EQ(proto.seconds(), 1);
  EXPECT_EQ(proto.nanos(), 250'000'000);
  EXPECT_EQ(FromProto(proto), absl::Milliseconds(1250));
}

}  // namespace
}  // namespace jobrunner::client
