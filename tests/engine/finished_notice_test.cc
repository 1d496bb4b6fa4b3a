// A batch's end is told to who asked to be told.

#include "engine/finished_notice.h"

#include "engine/engine_fixture.h"
#include "engine/limits.h"
#include "google/protobuf/util/json_util.h"

namespace jobrunner::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kTold[] =
    "name: 'n' priority: 7 labels { key: 'a' value: 'b' } finished_url: 'http://hook/?x'";

class FinishedNoticeTest : public EngineTest {
 protected:
  FinishedNoticeTest() { options.queues = {Queue("default"), Queue("other")}; }

  // The batches that were opened beside those that the test submitted.
  std::vector<std::string> NoticesBeside(const std::vector<std::string>& submitted) const {
    std::vector<std::string> notices;
    for (const auto& [id, sequence] : opened_) {
      if (std::find(submitted.begin(), submitted.end(), id) == submitted.end()) {
        notices.push_back(id);
      }
    }
    return notices;
  }

  std::string NoticeBeside(const std::string& submitted) const {
    const std::vector<std::string> notices = NoticesBeside({submitted});
    EXPECT_EQ(notices.size(), 1u);
    return notices.empty() ? "" : notices[0];
  }
};

TEST_F(FinishedNoticeTest, AnEndIsToldByAJobInABatchOfItsOwn) {
  const std::string id = Submit(Spec(2, std::string(kTold) + " queue: 'other'"));
  Succeed(id, 0);
  EXPECT_THAT(NoticesBeside({id}), IsEmpty());
  Fail(id, 1);
  const std::string notice = NoticeBeside(id);
  const v1::Batch told = Describe(notice);
  EXPECT_EQ(told.parent_id(), id);
  EXPECT_EQ(told.queue(), "other");
  EXPECT_EQ(told.priority(), 7);
  EXPECT_EQ(told.labels().at("a"), "b");
  const v1::HttpRequest request = AssignmentOf(notice, 0).job().http();
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.url(), "http://hook/?x");
  EXPECT_EQ(request.headers().at("Content-Type"), "application/json");
  EXPECT_EQ(request.idempotency_key(), id);
  v1::Batch body;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(request.body(), &body).ok());
  EXPECT_EQ(body.DebugString(), Describe(id).DebugString());
  EXPECT_EQ(body.state(), v1::BATCH_STATE_FAILED);
  EXPECT_EQ(body.last_sequence(), 3);
}

TEST_F(FinishedNoticeTest, ItsOwnEndIsToldToNobody) {
  const std::string id = Submit(Spec(1, kTold));
  Succeed(id, 0);
  const std::string notice = NoticeBeside(id);
  Succeed(notice, 0);
  EXPECT_EQ(Describe(notice).state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_THAT(NoticesBeside({id}), ElementsAre(notice));
}

TEST_F(FinishedNoticeTest, NobodyIsToldUnlessAsked) {
  const std::string id = Submit(Spec(1));
  Succeed(id, 0);
  EXPECT_THAT(NoticesBeside({id}), IsEmpty());
}

TEST_F(FinishedNoticeTest, ACancelledBatchIsToldToo) {
  const std::string id = Submit(Spec(1000, kTold));
  CancelIt(id, {}, 0s);
  for (const int32_t index : Running(id)) Fail(id, index);
  EXPECT_EQ(Describe(id).state(), v1::BATCH_STATE_CANCELLED);
  const std::string notice = NoticeBeside(id);
  EXPECT_THAT(AssignmentOf(notice, 0).job().http().body(),
              testing::HasSubstr("BATCH_STATE_CANCELLED"));
}

TEST_F(FinishedNoticeTest, ItIsRetriedLikeAnyJob) {
  const std::string id = Submit(Spec(1, kTold));
  Succeed(id, 0);
  const std::string notice = NoticeBeside(id);
  for (int attempt = 1; attempt < kNoticeAttemptsMax; ++attempt) {
    ASSERT_TRUE(Runs(notice, 0)) << attempt;
    EXPECT_EQ(AssignmentOf(notice, 0).job().http().idempotency_key(), id);
    Fail(notice, 0);
    Advance(2h);
  }
  Fail(notice, 0);
  EXPECT_EQ(StateOf(notice, 0), v1::JOB_STATE_FAILED);
}

TEST_F(FinishedNoticeTest, ItIsStoredWithTheEndOrNeitherIs) {
  options.durable = true;
  const std::string id = Submit(Spec(1, kTold));
  store_.HoldCommits(true);
  Succeed(id, 0);
  // The start of the job may ride in a commit of its own.
  const size_t waiting = store_.commits_waiting();
  ASSERT_GT(waiting, 0u);
  Restart(0s, waiting - 1);
  EXPECT_THAT(NoticesBeside({id}), IsEmpty());
  ASSERT_TRUE(Runs(id, 0)) << "its end was lost, so it runs again";

  store_.HoldCommits(true);
  Succeed(id, 0);
  Restart(0s, store_.commits_waiting());
  const std::string notice = NoticeBeside(id);
  EXPECT_TRUE(Runs(notice, 0));
  // Nor does another restart make another.
  Restart();
  EXPECT_THAT(NoticesBeside({id}), ElementsAre(notice));
}

TEST_F(FinishedNoticeTest, WhatADrainFindsUntoldIsToldByTheNextServer) {
  options.durable = true;
  const std::string id = Submit(Spec(1, kTold));
  int drained = 0;
  DrainNow(1h, &drained);
  Succeed(id, 0);
  EXPECT_EQ(drained, 1);
  const std::string notice = NoticeBeside(id);
  EXPECT_FALSE(Runs(notice, 0));
  Restart();
  EXPECT_TRUE(Runs(notice, 0));
}

TEST_F(FinishedNoticeTest, AMemoryStoreTellsNothingWhileItDrains) {
  const std::string id = Submit(Spec(1, kTold));
  int drained = 0;
  DrainNow(1h, &drained);
  Succeed(id, 0);
  EXPECT_EQ(drained, 1);
  EXPECT_THAT(NoticesBeside({id}), IsEmpty());
}

}  // namespace
}  // namespace jobrunner::engine
