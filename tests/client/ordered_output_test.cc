#include "client/ordered_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<int64_t> Sequences(const std::vector<JobOutput>& outputs) {
  std::vector<int64_t> sequences;
  for (const JobOutput& output : outputs) sequences.push_back(output.sequence);
  return sequences;
}

TEST(OrderedOutput, GivesOutWhatIsNextAndWhatWaitedForIt) {
  OrderedOutput ordered;
  EXPECT_THAT(Sequences(ordered.Add({2, "b", "2", ""})), IsEmpty());
  EXPECT_THAT(Sequences(ordered.Add({3, "c", "3", ""})), IsEmpty());
  EXPECT_THAT(Sequences(ordered.Add({1, "a", "1", ""})), ElementsAre(1, 2, 3));
  EXPECT_THAT(Sequences(ordered.Add({4, "d", "4", ""})), ElementsAre(4));
}

TEST(OrderedOutput, KnowsHowMuchItHolds) {
  OrderedOutput ordered;
  ordered.Add({2, "", "12345", "678"});
  EXPECT_EQ(ordered.held_bytes(), 8);
  ordered.Add({1, "", "x", ""});
  EXPECT_EQ(ordered.held_bytes(), 0);
}

TEST(OrderedOutput, AtTheEndGivesOutWhatHasGapsBeforeIt) {
  OrderedOutput ordered;
  ordered.Add({5, "", "five", ""});
  ordered.Add({3, "", "three", ""});
  EXPECT_THAT(Sequences(ordered.TakeRest()), ElementsAre(3, 5));
  EXPECT_EQ(ordered.held_bytes(), 0);
}

}  // namespace
}  // namespace jobrunner::client
