#include "storage/fold_cache.h"

#include "gtest/gtest.h"

namespace jobrunner::storage {
namespace {

std::shared_ptr<const engine::Batch> BatchOf(const std::string& id, int32_t jobs) {
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = id;
  header->job_count = jobs;
  return std::make_shared<const engine::Batch>(engine::Accepted{header, {{0, jobs, nullptr, {}}}});
}

TEST(FoldCache, HasBatchesUpToItsBoundOfJobs) {
  FoldCache cache(100);
  cache.Keep(BatchOf("a", 40));
  cache.Keep(BatchOf("b", 40));
  EXPECT_NE(cache.Find("a"), nullptr);
  cache.Keep(BatchOf("c", 40));
  // That which was looked at for longest ago gave way.
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_NE(cache.Find("c"), nullptr);
}

TEST(FoldCache, KeepsNoBatchThatIsLargerThanItsBound) {
  FoldCache cache(100);
  cache.Keep(BatchOf("a", 40));
  cache.Keep(BatchOf("large", 101));
  EXPECT_EQ(cache.Find("large"), nullptr);
  EXPECT_NE(cache.Find("a"), nullptr);
}

TEST(FoldCache, KeepsAFewBatchesHoweverSmallTheyAre) {
  FoldCache cache(1'000'000);
  for (int i = 0; i < 65; ++i) cache.Keep(BatchOf("b" + std::to_string(i), 1));
  EXPECT_EQ(cache.Find("b0"), nullptr);
  EXPECT_NE(cache.Find("b1"), nullptr);
}

}  // namespace
}  // namespace jobrunner::storage
