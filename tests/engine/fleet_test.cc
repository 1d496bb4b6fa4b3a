#include "engine/fleet.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FleetTest : public testing::Test {
 protected:
  RemoteWorker& Add(WorkerId id, const std::vector<std::string>& needs) {
    RemoteWorker& worker = fleet_.Add(id, "", /*slots=*/1);
    for (const std::string& need : needs) fleet_.Offer(worker, need);
    worker.welcomed = true;
    fleet_.Settle(worker, /*free_before=*/0);
    return worker;
  }

  void Take(RemoteWorker& worker) {
    worker.attempts.push_back(0);
    fleet_.Settle(worker, /*free_before=*/1);
  }

  void Return(RemoteWorker& worker) {
    worker.attempts.pop_back();
    fleet_.Settle(worker, /*free_before=*/0);
  }

  // Whose turns come before the first one's comes again.
  std::set<WorkerId> Turns(const std::string& need) {
    Capability& capability = fleet_.Named(need);
    std::set<WorkerId> turns;
    for (int64_t i = 0; i < capability.free_slots; ++i) {
      turns.insert(fleet_.Next(capability).id);
    }
    return turns;
  }

  Fleet fleet_;
};

TEST_F(FleetTest, WhoHasAFreeSlotHasATurnWhateverTheOrderOfWhatIsOffered) {
  RemoteWorker& first = Add(1, {"resize", "blur", "mail"});
  RemoteWorker& second = Add(2, {"mail", "resize"});
  RemoteWorker& third = Add(3, {"blur", "mail", "resize"});
  EXPECT_THAT(Turns("resize"), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(Turns("blur"), UnorderedElementsAre(1, 3));
  Take(first);
  EXPECT_THAT(Turns("resize"), UnorderedElementsAre(2, 3));
  EXPECT_THAT(Turns("blur"), UnorderedElementsAre(3));
  Take(third);
  EXPECT_THAT(Turns("resize"), UnorderedElementsAre(2));
  EXPECT_THAT(Turns("blur"), IsEmpty());
  Return(first);
  Take(second);
  EXPECT_THAT(Turns("mail"), UnorderedElementsAre(1));
  Return(third);
  EXPECT_THAT(Turns("mail"), UnorderedElementsAre(1, 3));
  Take(first);
  EXPECT_THAT(Turns("resize"), UnorderedElementsAre(3));
}

TEST_F(FleetTest, WhoIsRemovedHasNoTurn) {
  RemoteWorker& first = Add(1, {"resize", "mail"});
  Add(2, {"mail", "resize"});
  fleet_.Remove(first);
  EXPECT_THAT(Turns("resize"), UnorderedElementsAre(2));
  EXPECT_THAT(Turns("mail"), UnorderedElementsAre(2));
}

}  // namespace
}  // namespace jobrunner::engine
