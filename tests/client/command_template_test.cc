#include "client/command_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

Words Filled(Words words, const std::string& argument, bool shell = false) {
  return CommandTemplate(std::move(words), shell).Fill(argument, 7).value();
}

TEST(CommandTemplate, PutsTheArgumentIntoEachPlaceholder) {
  EXPECT_THAT(Filled({"cp", "{}", "{}.bak"}, "a b"), ElementsAre("cp", "a b", "a b.bak"));
}

TEST(CommandTemplate, AppendsTheArgumentWhenNothingHoldsIt) {
  EXPECT_THAT(Filled({"wc", "-l"}, "a"), ElementsAre("wc", "-l", "a"));
}

TEST(CommandTemplate, ANumberAloneIsAPlaceholderToo) {
  EXPECT_THAT(Filled({"echo", "{#}"}, "a"), ElementsAre("echo", "7"));
}

TEST(CommandTemplate, PartsOfAPathAreThoseOfGnuParallel) {
  const Words all = {"x", "{.}", "{/}", "{//}", "{/.}"};
  EXPECT_THAT(Filled(all, "a/b.c/d.tar.gz"),
              ElementsAre("x", "a/b.c/d.tar", "d.tar.gz", "a/b.c", "d.tar"));
  EXPECT_THAT(Filled(all, "plain"), ElementsAre("x", "plain", "plain", ".", "plain"));
  EXPECT_THAT(Filled(all, "a.b/c"), ElementsAre("x", "a.b/c", "c", "a.b", "c"));
  EXPECT_THAT(Filled(all, "/top"), ElementsAre("x", "/top", "top", "/", "top"));
}

TEST(CommandTemplate, WhatIsPutInIsNotReadAgain) {
  EXPECT_THAT(Filled({"echo", "{}"}, "{#} {.}"), ElementsAre("echo", "{#} {.}"));
}

TEST(CommandTemplate, OtherBracesStay) {
  EXPECT_THAT(Filled({"awk", "{print $1}", "{}"}, "f"), ElementsAre("awk", "{print $1}", "f"));
}

TEST(CommandTemplate, ForAShellTheArgumentIsQuoted) {
  EXPECT_THAT(Filled({"echo", "{}", "|", "wc"}, "it's; rm x", true),
              ElementsAre("/bin/sh", "-c", "echo 'it'\\''s; rm x' | wc"));
}

TEST(CommandTemplate, WithoutWordsTheArgumentIsTheCommandLine) {
  EXPECT_THAT(Filled({}, "echo 'a  b' c\\ d \"e\""), ElementsAre("echo", "a  b", "c d", "e"));
  EXPECT_THAT(Filled({}, "echo $HOME | wc", true), ElementsAre("/bin/sh", "-c", "echo $HOME | wc"));
}

TEST(CommandTemplate, AQuoteThatIsNotClosedIsAnError) {
  const auto argv = CommandTemplate({}, false).Fill("echo 'a", 1);
  EXPECT_EQ(argv.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(argv.status().message(), testing::HasSubstr("echo 'a"));
}

TEST(CommandTemplate, AnEmptyQuotedWordIsAWord) {
  EXPECT_THAT(Filled({}, "printf '' x"), ElementsAre("printf", "", "x"));
}

TEST(CommandText, ReadsAsAShellWouldTakeIt) {
  EXPECT_EQ(CommandText({"wc", "-l", "a b", ""}), "wc -l 'a b' ''");
  EXPECT_EQ(CommandText({"/bin/sh", "-c", "a | b"}), "a | b");
}

}  // namespace
}  // namespace jobrunner::client
