#include "rpc/assignment_id.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine/limits.h"

namespace jobrunner::rpc {
namespace {

constexpr char kBatch[] = "0193f2a1-7c00-7abc-8def-0123456789ab";
constexpr engine::AttemptToken kToken{.epoch = 3, .slot = 17, .number = 90210};

std::string IdText(const std::string& rest) { return kBatch + rest; }

TEST(AssignmentId, SaysBatchIndexAndToken) {
  const AssignmentId id(kBatch, 42, kToken);
  EXPECT_EQ(id.text(), IdText("/42/3.17.90210"));
  EXPECT_EQ(id.batch_id(), kBatch);
  EXPECT_EQ(id.index(), 42);
  EXPECT_EQ(id.token(), kToken);
}

TEST(AssignmentId, IsFoundAgainInItsText) {
  const auto id = AssignmentId::Parse(IdText("/42/3.17.90210"));
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->batch_id(), kBatch);
  EXPECT_EQ(id->index(), 42);
  EXPECT_EQ(id->token().epoch, 3u);
  EXPECT_EQ(id->token().slot, 17u);
  EXPECT_EQ(id->token().number, 90210u);
  EXPECT_EQ(id->text(), IdText("/42/3.17.90210"));
}

TEST(AssignmentId, HasRoomForTheLargestNumbers) {
  const AssignmentId id(kBatch, std::numeric_limits<int32_t>::max(),
                        {.epoch = std::numeric_limits<uint32_t>::max(),
                         .slot = std::numeric_limits<uint32_t>::max(),
                         .number = std::numeric_limits<uint64_t>::max()});
  EXPECT_EQ(id.text(), IdText("/2147483647/4294967295.4294967295.18446744073709551615"));
  EXPECT_EQ(id.text().size(), AssignmentId::kBytesMax);
  const auto parsed = AssignmentId::Parse(id.text());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->token(), id.token());
}

TEST(AssignmentId, IsNothingElse) {
  for (const std::string& text :
       {std::string(), std::string("x"), std::string(kBatch), IdText("/"), IdText("/1"),
        IdText("/1/"), IdText("/1/2"), IdText("/1/2.3"), IdText("/1/2.3."), IdText("/1/2.3.4 "),
        IdText("/1/2.3.4/"), IdText("/1/2.3.4.5"), IdText(" /1/2.3.4"), IdText("-1/2.3.4"),
        // Not the one text of its attempt.
        IdText("/01/2.3.4"), IdText("/1/2.3.04"), IdText("/+1/2.3.4"), IdText("/-1/2.3.4"),
        IdText("/0x1/2.3.4"),
        // Too large.
        IdText("/2147483648/2.3.4"), IdText("/1/4294967296.3.4"),
        IdText("/1/2.3.18446744073709551616"),
        // No UUID.
        std::string("0193f2a1-7c00-7abc-8def-0123456789ag/1/2.3.4"),
        std::string(36, 'a') + "/1/2.3.4", std::string("/1/2.3.4")}) {
    EXPECT_FALSE(AssignmentId::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace jobrunner::rpc
