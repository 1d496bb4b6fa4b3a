#include "client/json_outline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OutlineJson, HasTheKeysOfTheFirstObjectAlone) {
  EXPECT_THAT(OutlineJson(R"( {"a": {"x": 1}, "b": [{"y": 2}]} {"c": 3})").first_keys,
              ElementsAre("a", "b"));
  EXPECT_THAT(OutlineJson(R"([{"a": 1}])").first_keys, IsEmpty());
}

TEST(OutlineJson, ValuesAreNoKeys) {
  EXPECT_THAT(OutlineJson(R"({"a": "batch", "b": "x: \" } {"})").first_keys, ElementsAre("a", "b"));
}

TEST(OutlineJson, KnowsHowDeepItGoes) {
  EXPECT_EQ(OutlineJson("17").depth_max, 0);
  EXPECT_EQ(OutlineJson(R"({"a": [[1]], "b": "[[[[["})").depth_max, 3);
}

TEST(OutlineJson, TakesAnything) {
  for (const char* text : {"", "\"", "\"\\", "}}}{", "{\"a", "{\"a\":", "]["}) OutlineJson(text);
}

}  // namespace
}  // namespace jobrunner::client
