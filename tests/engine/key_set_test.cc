#include "engine/key_set.h"

#include <gtest/gtest.h>

#include <string>

namespace jobrunner::engine {
namespace {

TEST(KeySet, TellsAKeyThatComesAgain) {
  KeySet keys;
  EXPECT_TRUE(keys.Add("a"));
  EXPECT_TRUE(keys.Add("b"));
  EXPECT_FALSE(keys.Add("a"));
  EXPECT_TRUE(keys.Add(""));
  EXPECT_FALSE(keys.Add(""));
}

TEST(KeySet, TakesNoKeyForAnother) {
  KeySet keys;
  for (int i = 0; i < 300'000; ++i) ASSERT_TRUE(keys.Add("job-" + std::to_string(i))) << i;
  for (int i = 0; i < 300'000; ++i) ASSERT_FALSE(keys.Add("job-" + std::to_string(i))) << i;
}

}  // namespace
}  // namespace jobrunner::engine
