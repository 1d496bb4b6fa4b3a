#include "storage/committer.h"

#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"

namespace jobrunner::storage {
namespace {

using engine::Sync;
using testing::ElementsAre;
using testing::IsEmpty;

// Says how many writes each group had and whether it was synced. The first group waits until it is
// released; a fault can be set for one group.
class FakeSink final : public CommitSink {
 public:
  absl::Status Add(engine::Write /*write*/) override {
    ++writes_;
    return absl::OkStatus();
  }
  int64_t bytes() const override { return writes_ * write_bytes; }
  absl::Status Store(bool sync) override {
    if (groups.empty()) {
      first_begun.Notify();
      first_released.WaitForNotification();
    }
    groups.emplace_back(writes_, sync);
    writes_ = 0;
    if (static_cast<int>(groups.size()) == fail_at)
      return absl::UnavailableError("the disk is broken");
    return absl::OkStatus();
  }
  void Failed(const absl::Status& status) override { failures.push_back(status); }

  int64_t write_bytes = 1;
  int fail_at = 0;
  absl::Notification first_begun;
  absl::Notification first_released;
  std::vector<std::pair<int, bool>> groups;
  std::vector<absl::Status> failures;

 private:
  int writes_ = 0;
};

class CommitterTest : public testing::Test {
 protected:
  void Commit(Committer& committer, Sync sync, int number) {
    committer.Commit({engine::ForgetRequest{"r"}}, sync,
                     [this, number](const absl::Status& status) {
                       (status.ok() ? stored_ : refused_).push_back(number);
                     });
  }

  // The first commit, and the others while it is being stored.
  void CommitAll(const std::vector<Sync>& syncs) {
    Committer committer(&sink_);
    int number = 0;
    for (const Sync sync : syncs) {
      Commit(committer, sync, ++number);
      if (number == 1) sink_.first_begun.WaitForNotification();
    }
    sink_.first_released.Notify();
  }

  FakeSink sink_;
  std::vector<int> stored_;
  std::vector<int> refused_;
};

TEST_F(CommitterTest, StoresWhatArrivesMeanwhileAsOneGroup) {
  CommitAll({Sync::kNow, Sync::kNow, Sync::kWithNext, Sync::kNow});
  EXPECT_THAT(sink_.groups, ElementsAre(std::pair(1, true), std::pair(3, true)));
  EXPECT_THAT(stored_, ElementsAre(1, 2, 3, 4));
}

TEST_F(CommitterTest, SyncsNoGroupThatNobodyWaitsFor) {
  CommitAll({Sync::kNow, Sync::kWithNext, Sync::kWithNext});
  EXPECT_THAT(sink_.groups, ElementsAre(std::pair(1, true), std::pair(2, false)));
}

TEST_F(CommitterTest, KeepsGroupsSmall) {
  sink_.write_bytes = Committer::kGroupBytesMax / 2;
  CommitAll(std::vector<Sync>(6, Sync::kNow));
  EXPECT_THAT(sink_.groups, ElementsAre(std::pair(1, true), std::pair(2, true), std::pair(2, true),
                                        std::pair(1, true)));
  EXPECT_THAT(stored_, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(CommitterTest, StoresNothingMoreAfterAnError) {
  sink_.fail_at = 2;
  sink_.write_bytes = Committer::kGroupBytesMax;
  CommitAll(std::vector<Sync>(5, Sync::kNow));
  EXPECT_EQ(sink_.groups.size(), 2);
  EXPECT_THAT(stored_, ElementsAre(1));
  EXPECT_THAT(refused_, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(sink_.failures.size(), 1);
}

TEST_F(CommitterTest, RefusesWhatComesAfterAnErrorToo) {
  sink_.fail_at = 1;
  sink_.first_released.Notify();
  {
    Committer committer(&sink_);
    Commit(committer, Sync::kNow, 1);
    sink_.first_begun.WaitForNotification();
    Commit(committer, Sync::kNow, 2);
  }
  EXPECT_THAT(stored_, IsEmpty());
  EXPECT_THAT(refused_, ElementsAre(1, 2));
  EXPECT_EQ(sink_.groups.size(), 1);
}

}  // namespace
}  // namespace jobrunner::storage
