#include "server/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jobrunner::server {
namespace {

using ::testing::HasSubstr;

std::string Said(std::string_view json) {
  const absl::StatusOr<config::v1::Config> config = ParseConfigJson(json);
  return config.ok() ? "accepted" : std::string(config.status().message());
}

TEST(ConfigJsonTest, AnEmptyObjectSetsNothing) {
  EXPECT_EQ(ParseConfigJson(" {} \n")->ByteSizeLong(), 0u);
}

TEST(ConfigJsonTest, AnUnknownFieldIsNamedWithItsPath) {
  EXPECT_EQ(Said(R"({"listn": "x"})"), "listn: no such field");
  EXPECT_EQ(Said(R"({"queues": [{"name": "a"}, {"max_runing": 1}]})"),
            "queues[1].max_runing: no such field");
  EXPECT_EQ(Said(R"({"queues": [{"job_defaults": {"retry_policy": {"max_atempts": 1}}}]})"),
            "queues[0].job_defaults.retry_policy.max_atempts: no such field");
}

TEST(ConfigJsonTest, AFieldGivenTwiceIsNamed) {
  EXPECT_EQ(Said(R"({"listen": "a", "listen": "b"})"), "listen: given twice");
  EXPECT_EQ(Said(R"({"workers": {"min": 1}, "workers": {"max": 2}})"), "workers: given twice");
  EXPECT_EQ(Said(R"({"commands": {"allow_any": true, "allowAny": false}})"),
            "commands.allowAny: given twice");
  EXPECT_EQ(Said(R"({"commands": {"env": {"A": "1", "A": "2"}}})"), "commands.env.A: given twice");
}

TEST(ConfigJsonTest, AValueOfAnotherKindIsNamed) {
  EXPECT_EQ(Said(R"({"listen": 5})"), "listen: must be a string");
  EXPECT_EQ(Said(R"({"workers": 5})"), "workers: must be an object");
  EXPECT_EQ(Said(R"({"workers": "5"})"), "workers: must be an object");
  EXPECT_EQ(Said(R"({"workers": []})"), "workers: must be an object");
  EXPECT_EQ(Said(R"({"queues": {}})"), "queues: must be a list in [ ]");
  EXPECT_EQ(Said(R"({"queues": [null]})"), "queues[0]: must be an object");
  EXPECT_EQ(Said(R"({"commands": {"env": []}})"), "commands.env: must be an object");
  EXPECT_EQ(Said(R"({"commands": {"env": {"A": 1}}})"), "commands.env.A: must be a string");
  EXPECT_EQ(Said(R"({"commands": {"allow_any": "yes"}})"),
            "commands.allow_any: must be true or false");
  EXPECT_EQ(Said(R"({"commands": {"allow_any": 1}})"), "commands.allow_any: must be true or false");
  EXPECT_EQ(Said(R"({"workers": {"min": true}})"), "workers.min: must be a number");
  EXPECT_EQ(Said(R"({"workers": {"min": {}}})"), "workers.min: must be a number");
  EXPECT_EQ(Said(R"({"shutdown_grace": 5})"),
            "shutdown_grace: must be a duration in quotes, as \"5s\"");
  EXPECT_EQ(Said(R"({"shutdown_grace": {"seconds": 5}})"),
            "shutdown_grace: must be a duration in quotes, as \"5s\"");
}

TEST(ConfigJsonTest, AValueThatDoesNotFitIsNamed) {
  EXPECT_EQ(Said(R"({"workers": {"min": 1.5}})"), "workers.min: invalid value 1.5 for an int32");
  EXPECT_EQ(Said(R"({"workers": {"min": 99999999999}})"),
            "workers.min: invalid value 99999999999 for an int32");
  EXPECT_THAT(Said(R"({"shutdown_grace": "5"})"), HasSubstr("duration must end with 's'"));
}

TEST(ConfigJsonTest, NullIsAsIfTheFieldWereNotThere) {
  EXPECT_EQ(Said(R"({"workers": null, "queues": null, "listen": null})"), "accepted");
}

TEST(ConfigJsonTest, NothingElseThatLooksLikeNullIs) {
  EXPECT_EQ(Said(R"({"workers": none})"), "workers: is no JSON value");
  EXPECT_EQ(Said(R"({"listen": nullx})"), "listen: is no JSON value");
}

TEST(ConfigJsonTest, NumbersMayStandInQuotes) {
  EXPECT_EQ(
      ParseConfigJson(R"({"limits": {"request_bytes_max": "77"}})")->limits().request_bytes_max(),
      77);
}

TEST(ConfigJsonTest, WhatIsNotJsonIsNamedByLineAndColumn) {
  EXPECT_EQ(Said(""), "line 1, column 1: expected an object in { }");
  EXPECT_EQ(Said("[]"), "line 1, column 1: expected an object in { }");
  EXPECT_EQ(Said("{\"listen\": \"a\"} x"), "line 1, column 17: expected the end of the text");
  EXPECT_EQ(Said("{\"listen\": \"a\",}"), "line 1, column 16: expected a name in double quotes");
  EXPECT_EQ(Said("{'listen': 'a'}"), "line 1, column 2: expected a name in double quotes");
  EXPECT_EQ(Said("{\"workers\": {\"min\": 1,\n  \"max\" 4}}"), "line 2, column 9: expected ':'");
  EXPECT_EQ(Said("{\"listen\": }"), "line 1, column 12: expected a value");
  EXPECT_EQ(Said("{\"listen\": 'a'}"), "line 1, column 12: expected a value");
  EXPECT_EQ(Said("{\"queues\": [{} {}]}"), "line 1, column 16: expected ',' or ']'");
  EXPECT_EQ(Said("{\"listen\": \"a"), "line 1, column 14: expected the closing '\"' of a string");
  EXPECT_THAT(Said("{\"listen\": \"a\n\"}"), HasSubstr("expected no control character"));
}

TEST(ConfigJsonTest, EveryPrefixOfATextIsRefusedWithoutHarm) {
  const std::string json =
      R"({"listen": "a\"b", "queues": [{"name": "x", "job_defaults": {"timeout": "1s"}}], )"
      R"("commands": {"env": {"A": "\u0041"}, "allow_any": true}, "workers": {"max": 4}})";
  ASSERT_EQ(Said(json), "accepted");
  for (size_t size = 0; size < json.size(); ++size) {
    EXPECT_NE(Said(json.substr(0, size)), "accepted") << size;
  }
}

TEST(ConfigJsonTest, DeepNestingIsRefusedAtItsFirstBracket) {
  EXPECT_EQ(Said("{\"queues\": " + std::string(1'000'000, '[')), "queues[0]: must be an object");
  EXPECT_EQ(Said(std::string(1'000'000, '{')),
            "line 1, column 2: expected a name in double quotes");
}

TEST(ConfigJsonTest, TextThatIsNotUtf8IsRefused) {
  EXPECT_THAT(Said("{\"listen\": \"\xff\"}"), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace jobrunner::server
