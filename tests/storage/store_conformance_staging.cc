// What every Store does with shards that are staged.

#include "gmock/gmock.h"
#include "storage/store_conformance.h"
#include "storage/store_writes.h"

namespace jobrunner::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kNotFound = absl::StatusCode::kNotFound;

TEST_P(StoreConformance, ShowsNobodyWhatIsStaged) {
  ASSERT_TRUE(Commit({Stage("a", 0, "first"), Stage("a", 1, "second")}).ok());
  EXPECT_EQ(Load("a", 0).status().code(), kNotFound);
  EXPECT_EQ(Read("a", 0).status().code(), kNotFound);
  EXPECT_EQ(Find("a").status().code(), kNotFound);
  EXPECT_THAT(ListAll({}, 10), IsEmpty());
}

TEST_P(StoreConformance, GivesABatchTheShardsThatWereStagedForIt) {
  ASSERT_TRUE(Commit({Stage("a", 0, "first")}).ok());
  ASSERT_TRUE(Commit({Stage("b", 0, "other"), Stage("a", 1, "second")}).ok());
  ASSERT_TRUE(Commit({Accept("a", {"", ""})}).ok());
  EXPECT_EQ(Load("a", 0).value(), "first");
  EXPECT_EQ(Load("a", 1).value(), "second");
  EXPECT_TRUE(Read("a", 0).ok());
  EXPECT_EQ(Load("b", 0).status().code(), kNotFound);
}

TEST_P(StoreConformance, TakesABatchOfWhichSomeShardsWereStaged) {
  ASSERT_TRUE(Commit({Stage("a", 0, "first"), Accept("a", {"", "second"})}).ok());
  EXPECT_EQ(Load("a", 0).value(), "first");
  EXPECT_EQ(Load("a", 1).value(), "second");
}

TEST_P(StoreConformance, DropsWhatWasStaged) {
  ASSERT_TRUE(Commit({Stage("a", 0, "old"), Stage("ab", 0, "other")}).ok());
  ASSERT_TRUE(Commit({engine::DropStaged{"a"}, engine::DropStaged{"nobody"}}).ok());
  ASSERT_TRUE(Commit({Stage("a", 0, "new"), Accept("a", {""}), Accept("ab", {""})}).ok());
  EXPECT_EQ(Load("a", 0).value(), "new");
  EXPECT_EQ(Load("ab", 0).value(), "other");
}

TEST_P(StoreConformance, DropsNothingOfABatchThatWasAccepted) {
  ASSERT_TRUE(Commit({Stage("a", 0, "first"), Accept("a", {""})}).ok());
  ASSERT_TRUE(Commit({engine::DropStaged{"a"}}).ok());
  EXPECT_EQ(Load("a", 0).value(), "first");
}

TEST_P(DurableStoreConformance, ForgetsWhatWasStagedWhenItIsOpenedAgain) {
  ASSERT_TRUE(Commit({Stage("a", 0, "left"), Stage("b", 0, "left"), Stage("c", 0, "kept"),
                      Accept("c", {""})})
                  .ok());
  Reopen();
  auto recovery = store_->Recover();
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  EXPECT_EQ(recovery->staged_dropped, 2);
  ASSERT_EQ(recovery->unfinished.size(), 1);
  EXPECT_EQ(recovery->unfinished[0]->id(), "c");
  EXPECT_EQ(Load("c", 0).value(), "kept");
  EXPECT_EQ(Load("a", 0).status().code(), kNotFound);

  ASSERT_TRUE(Commit({engine::DropStaged{"nobody"}}).ok());
  Reopen();
  EXPECT_EQ(store_->Recover()->staged_dropped, 0);
}

TEST_P(DurableStoreConformance, KnowsABatchThatWasStagedAfterItWasOpenedAgain) {
  ASSERT_TRUE(Commit({Stage("a", 0, "first")}, engine::Sync::kWithNext).ok());
  ASSERT_TRUE(Commit({Stage("a", 1, "second")}, engine::Sync::kWithNext).ok());
  ASSERT_TRUE(Commit({Accept("a", {"", ""})}).ok());
  Reopen();
  const auto recovery = store_->Recover();
  ASSERT_EQ(recovery->unfinished.size(), 1);
  EXPECT_EQ(recovery->unfinished[0]->job_count(), 2);
  EXPECT_EQ(Load("a", 1).value(), "second");
  EXPECT_EQ(recovery->staged_dropped, 0);
}

TEST_P(DurableStoreConformance, FinishesAndRemovesABatchThatWasStaged) {
  std::vector<engine::Write> writes = Whole({.id = "a"});
  ASSERT_TRUE(Commit({Stage("a", 0, "job")}).ok());
  auto& accepted = std::get<engine::Accepted>(std::get<engine::Append>(writes[0]).record);
  accepted.shards[0].bytes = nullptr;
  ASSERT_TRUE(Commit(std::move(writes)).ok());
  EXPECT_THAT(ListAll({}, 10), ElementsAre("a"));
  EXPECT_EQ(Load("a", 0).value(), "job");
  ASSERT_TRUE(Commit({engine::Remove{"a"}}).ok());
  EXPECT_EQ(Load("a", 0).status().code(), kNotFound);
}

}  // namespace
}  // namespace jobrunner::storage
