#include "client/library/safe_text.h"

#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

TEST(SafeText, LeavesOrdinaryTextAlone) { EXPECT_EQ(SafeText("naïve ✔ 日本 𝄞"), "naïve ✔ 日本 𝄞"); }

TEST(SafeText, EscapesWhatSteersATerminal) {
  EXPECT_EQ(SafeText("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\r\\n\\tc\\x7f");
  EXPECT_EQ(SafeText("\xc2\x9b"
                     "31m"),
            "\\xc2\\x9b31m");
}

TEST(SafeText, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(SafeText("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(SafeText("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(SafeText("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(IsUtf8, TellsTheDifference) {
  EXPECT_TRUE(IsUtf8("déjà vu"));
  EXPECT_FALSE(IsUtf8("caf\xe9"));
  EXPECT_FALSE(IsUtf8("cut \xe2\x9c"));
}

TEST(ShellQuoted, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(ShellQuoted("a/b-c.d"), "a/b-c.d");
  EXPECT_EQ(ShellQuoted(""), "''");
  EXPECT_EQ(ShellQuoted("$HOME"), "'$HOME'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace jobrunner::client
