#include "client/batch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

using testing::HasSubstr;

std::string Refusal(const std::string& text) {
  const auto request = ParseBatchFile(text);
  EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(request.status().message());
}

TEST(ParseBatchFile, ReadsARequestOverManyLines) {
  const auto request = ParseBatchFile(R"({
    "batch": {
      "name": "n",
      "jobs": [{"handler": {"name": "echo"}}, {"command": {"argv": ["true"]}}]
    }
  })");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->batch().name(), "n");
  EXPECT_EQ(request->batch().jobs_size(), 2);
}

TEST(ParseBatchFile, ReadsAJobALine) {
  const auto request = ParseBatchFile(
      "{\"key\": \"batch\", \"handler\": {\"name\": \"echo\"}}\n"
      "\n"
      "  {\"command\": {\"argv\": [\"true\"]}}\n");
  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_EQ(request->batch().jobs_size(), 2);
  EXPECT_EQ(request->batch().jobs(0).key(), "batch");
  EXPECT_EQ(request->batch().jobs(1).command().argv(0), "true");
}

TEST(ParseBatchFile, AJobWithABatchDeepInsideIsStillAJob) {
  const auto request = ParseBatchFile(R"({"command": {"argv": ["x"], "env": {"batch": "1"}}})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->batch().jobs_size(), 1);
}

TEST(ParseBatchFile, NamesTheLineAndTheReason) {
  const std::string refusal = Refusal("{\"key\": \"a\"}\n{\"nonsense\": 1}\n");
  EXPECT_THAT(refusal, HasSubstr("line 2"));
  EXPECT_THAT(refusal, HasSubstr("nonsense"));
  EXPECT_THAT(Refusal("{\"key\": \n"), HasSubstr("line 1"));
}

TEST(ParseBatchFile, NamesTheFieldOfARequest) {
  EXPECT_THAT(Refusal(R"({"batch": {"jobs": [{"comand": {}}]}})"), HasSubstr("comand"));
}

TEST(ParseBatchFile, RefusesAFileWithoutJobs) {
  EXPECT_THAT(Refusal("\n \n"), HasSubstr("no jobs"));
}

TEST(ParseBatchFile, RefusesWhatIsNestedTooDeepBeforeAParserSeesIt) {
  EXPECT_THAT(Refusal("{\"batch\": " + std::string(100'000, '[')), HasSubstr("deeper than 64"));
  EXPECT_THAT(Refusal(std::string(100'000, '{')), HasSubstr("deeper than 64"));
}

TEST(ReadFile, NamesTheFileItCannotRead) {
  EXPECT_THAT(std::string(ReadFile("/no/such/file").status().message()),
              HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace jobrunner::client
