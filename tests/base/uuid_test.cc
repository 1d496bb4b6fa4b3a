#include "base/uuid.h"

#include <gtest/gtest.h>

namespace jobrunner::base {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
constexpr WallTime kExampleTime{milliseconds(0x017F22E279B0)};

TEST(TimeOfUuidV7, IsTheMillisecondOfItsMaking) {
  Prng prng(1);
  const WallTime time(std::chrono::microseconds(1'767'225'600'123'456));
  EXPECT_EQ(TimeOfUuidV7(UuidV7(time, prng)),
            WallTime(std::chrono::milliseconds(1'767'225'600'123)));
  EXPECT_EQ(TimeOfUuidV7("batch-0001"), std::nullopt);
  EXPECT_EQ(TimeOfUuidV7("017f22e2-79b0-4cc3-98c4-dc0c0c07398f"), std::nullopt) << "of version 4";
}

TEST(UuidV7, CarriesTimeVersionAndVariant) {
  Prng prng(1);
  const std::string uuid = UuidV7(kExampleTime, prng);
  EXPECT_EQ(uuid.substr(0, 19), "017f22e2-79b0-7000-");
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
  EXPECT_TRUE(IsUuid(uuid)) << uuid;
}

TEST(UuidV7, SortsByTimeWithinAMillisecond) {
  Prng prng(1);
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const std::string next = UuidV7(kExampleTime + microseconds(i), prng);
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(UuidV7, TwoOfOneMomentDiffer) {
  Prng prng(1);
  EXPECT_NE(UuidV7(kExampleTime, prng), UuidV7(kExampleTime, prng));
}

TEST(UuidV7, ATimeBeforeTheEpochCountsAsTheEpoch) {
  Prng prng(1);
  EXPECT_EQ(UuidV7(WallTime(milliseconds(-5)), prng).substr(0, 18), "00000000-0000-7000");
}

TEST(UuidSequence, SortsWithinOneMoment) {
  Prng prng(1);
  UuidSequence sequence;
  std::string last;
  for (int i = 0; i < 10000; ++i) {
    const std::string next = sequence.Next(kExampleTime, prng);
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(UuidSequence, SortsWhenTheClockGoesBack) {
  Prng prng(1);
  UuidSequence sequence;
  const std::string before = sequence.Next(kExampleTime, prng);
  EXPECT_LT(before, sequence.Next(kExampleTime - std::chrono::hours(1), prng));
}

TEST(RandomUuid, HasVersionAndVariantAndIsNeverTheSame) {
  const std::string text = RandomUuid();
  EXPECT_TRUE(IsUuid(text));
  EXPECT_EQ(text[14], '4');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_NE(text, RandomUuid());
}

TEST(IsUuid, AcceptsEitherCase) {
  EXPECT_TRUE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_TRUE(IsUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
}

TEST(IsUuid, RefusesEverythingElse) {
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398ff"));
  EXPECT_FALSE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398g"));
  EXPECT_FALSE(IsUuid("017f22e2079b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_FALSE(IsUuid("{17f22e2-79b0-7cc3-98c4-dc0c0c07398}"));
}

}  // namespace
}  // namespace jobrunner::base
