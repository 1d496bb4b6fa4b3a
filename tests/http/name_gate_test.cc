#include "workers/http/name_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"

namespace jobrunner::workers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class NameGateTest : public ::testing::Test {
 protected:
  std::vector<uint64_t> Turn() {
    std::vector<uint64_t> ids = gate_.Turn([this](uint64_t id) { return resolving_.contains(id); });
    resolving_.insert(ids.begin(), ids.end());
    return ids;
  }

  NameGate gate_;
  std::set<uint64_t> resolving_;
};

TEST_F(NameGateTest, SoManyOfAName) {
  for (uint64_t id = 1; id <= 6; ++id) gate_.Add("a", id);
  EXPECT_THAT(Turn(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Turn(), IsEmpty());
  resolving_.erase(2);
  EXPECT_THAT(Turn(), ElementsAre(5));
  resolving_.clear();
  EXPECT_THAT(Turn(), ElementsAre(6));
  EXPECT_FALSE(gate_.empty());
  resolving_.clear();
  EXPECT_THAT(Turn(), IsEmpty());
  EXPECT_TRUE(gate_.empty());
}

TEST_F(NameGateTest, ANameThatHangsHoldsUpNoOther) {
  for (uint64_t id = 1; id <= 100; ++id) gate_.Add("hangs", id);
  Turn();
  gate_.Add("other", 101);
  EXPECT_THAT(Turn(), ElementsAre(101));
}

TEST_F(NameGateTest, SoManyOfAllNames) {
  for (uint64_t id = 1; id <= 2 * NameGate::kOfAllNamesMax; ++id) gate_.Add(absl::StrCat(id), id);
  EXPECT_THAT(Turn(), SizeIs(NameGate::kOfAllNamesMax));
  EXPECT_THAT(Turn(), IsEmpty());
  resolving_.clear();
  EXPECT_THAT(Turn(), SizeIs(NameGate::kOfAllNamesMax));
}

}  // namespace
}  // namespace jobrunner::workers
