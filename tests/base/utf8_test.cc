#include "base/utf8.h"

#include <gtest/gtest.h>

namespace jobrunner::base {
namespace {

constexpr char kBad[] = "\xEF\xBF\xBD";

TEST(ValidUtf8, LeavesValidTextAsItIs) {
  EXPECT_EQ(ValidUtf8("plain, ümlaut, 日本, 😀", 100), "plain, ümlaut, 日本, 😀");
}

TEST(ValidUtf8, ReplacesEachByteThatIsNotText) {
  EXPECT_EQ(ValidUtf8("a\xFF\xFEz", 100), std::string("a") + kBad + kBad + "z");
}

TEST(ValidUtf8, RefusesOverlongFormsSurrogatesAndWhatIsTooLarge) {
  for (const char* text : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_EQ(ValidUtf8(text, 100).substr(0, 3), kBad) << text;
  }
}

TEST(ValidUtf8, ReplacesACharacterThatIsCutOff) {
  EXPECT_EQ(ValidUtf8("a\xE6\x97", 100), std::string("a") + kBad + kBad);
}

TEST(ValidUtf8, CutsAtTheEndOfACharacter) {
  EXPECT_EQ(ValidUtf8("aü", 3), "aü");
  EXPECT_EQ(ValidUtf8("aü", 2), "a");
  EXPECT_EQ(ValidUtf8("aü", 0), "");
}

}  // namespace
}  // namespace jobrunner::base
