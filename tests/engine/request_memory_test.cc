#include "engine/request_memory.h"

#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class RequestMemoryTest : public testing::Test {
 protected:
  static base::SteadyTime At(hours hour) { return base::SteadyTime(hour); }
  void Remember(const std::string& id, hours when) {
    memory_.Remember(id, {"batch of " + id, "print", std::nullopt}, At(when));
  }
  static v1::Batch Last() {
    v1::Batch batch;
    batch.set_id("last");
    return batch;
  }

  RequestMemory memory_;
};

TEST_F(RequestMemoryTest, KnowsWhatItWasTold) {
  Remember("r", hours(0));
  ASSERT_NE(memory_.Find("r"), nullptr);
  EXPECT_EQ(memory_.Find("r")->batch_id, "batch of r");
  EXPECT_EQ(memory_.Find("other"), nullptr);
}

TEST_F(RequestMemoryTest, DoesNotRememberARequestWithoutAnId) {
  Remember("", hours(0));
  EXPECT_EQ(memory_.Find(""), nullptr);
}

TEST_F(RequestMemoryTest, RemembersForADayAlsoWhenTheBatchIsRemoved) {
  Remember("r", hours(0));
  memory_.BatchRemoved("r", Last(), At(hours(1)));
  memory_.Sweep(At(hours(24)) - seconds(1));
  ASSERT_NE(memory_.Find("r"), nullptr);
  EXPECT_EQ(memory_.Find("r")->removed->id(), "last");
  memory_.Sweep(At(hours(24)));
  EXPECT_EQ(memory_.Find("r"), nullptr);
}

TEST_F(RequestMemoryTest, RemembersAsLongAsTheBatchIsThere) {
  Remember("r", hours(0));
  memory_.Sweep(At(hours(1000)));
  EXPECT_NE(memory_.Find("r"), nullptr);
  memory_.BatchRemoved("r", Last(), At(hours(1000)));
  EXPECT_EQ(memory_.Find("r"), nullptr);
}

}  // namespace
}  // namespace jobrunner::engine
