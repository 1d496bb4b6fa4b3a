#include "engine/batch_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

BatchPage PageOf(const std::vector<std::string>& ids, const std::string& next_before_id = "",
                 v1::BatchState state = v1::BATCH_STATE_RUNNING) {
  BatchPage page;
  for (const std::string& id : ids) {
    page.batches.emplace_back().set_id(id);
    page.batches.back().set_state(state);
  }
  page.next_before_id = next_before_id;
  return page;
}

std::vector<std::string> IdsOf(const BatchPage& page) {
  std::vector<std::string> ids;
  for (const v1::Batch& batch : page.batches) ids.push_back(batch.id());
  return ids;
}

TEST(MergePages, PutsTheNewestFirst) {
  const BatchPage merged = MergePages(PageOf({"6", "3"}), PageOf({"5", "4", "1"}), 10);
  EXPECT_THAT(IdsOf(merged), ElementsAre("6", "5", "4", "3", "1"));
  EXPECT_EQ(merged.next_before_id, "");
}

TEST(MergePages, EndsWhereThePageIsFull) {
  const BatchPage merged = MergePages(PageOf({"6", "3"}), PageOf({"5", "4"}), 3);
  EXPECT_THAT(IdsOf(merged), ElementsAre("6", "5", "4"));
  EXPECT_EQ(merged.next_before_id, "4");
}

TEST(MergePages, IsAtItsEndWhenAllFitExactly) {
  const BatchPage merged = MergePages(PageOf({"6"}), PageOf({"5"}), 2);
  EXPECT_THAT(IdsOf(merged), ElementsAre("6", "5"));
  EXPECT_EQ(merged.next_before_id, "");
}

TEST(MergePages, ShowsNothingFromBeyondWhereOneOfTheTwoStopped) {
  const BatchPage merged = MergePages(PageOf({"9", "8"}, "8"), PageOf({"9", "7", "5"}), 10);
  EXPECT_THAT(IdsOf(merged), ElementsAre("9", "8"));
  EXPECT_EQ(merged.next_before_id, "8");
}

TEST(MergePages, MayBeEmptyAndGoOn) {
  const BatchPage merged = MergePages(PageOf({}, "7"), PageOf({"5"}), 10);
  EXPECT_THAT(IdsOf(merged), IsEmpty());
  EXPECT_EQ(merged.next_before_id, "7");
}

TEST(MergePages, HasABatchThatFinishedMeanwhileOnceAndAsItWasLast) {
  const BatchPage merged =
      MergePages(PageOf({"2", "1"}), PageOf({"2"}, "", v1::BATCH_STATE_SUCCEEDED), 10);
  EXPECT_THAT(IdsOf(merged), ElementsAre("2", "1"));
  EXPECT_EQ(merged.batches[0].state(), v1::BATCH_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobrunner::engine
