#include "client/batch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "support/temporary_directory.h"

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BatchFileTest : public testing::Test {
 protected:
  absl::StatusOr<BatchFile> Open(const std::string& text) {
    std::ofstream(directory_.PathOf("batch")) << text;
    return OpenBatchFile(directory_.PathOf("batch"));
  }
  // The keys of all jobs, or what is wrong, as the last of them.
  static std::vector<std::string> Keys(JobSource& jobs) {
    std::vector<std::string> keys;
    v1::Job job;
    for (;;) {
      const auto more = jobs.Next(&job);
      if (!more.ok()) keys.emplace_back(more.status().message());
      if (!more.ok() || !*more) return keys;
      keys.push_back(job.key());
    }
  }
  std::vector<std::string> KeysOf(const std::string& text) {
    auto file = Open(text);
    EXPECT_TRUE(file.ok()) << file.status();
    return Keys(*std::get<std::unique_ptr<JobLines>>(*file));
  }
  // What is wrong with the request, or with its first job.
  std::string Refusal(const std::string& text) {
    auto file = Open(text);
    if (!file.ok()) return std::string(file.status().message());
    return Keys(*std::get<std::unique_ptr<JobLines>>(*file)).back();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(BatchFileTest, HasARequestOverManyLines) {
  const auto file = Open(R"({
    "batch": {
      "name": "n",
      "jobs": [{"handler": {"name": "echo"}}, {"command": {"argv": ["true"]}}]
    }
  })");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& request = std::get<v1::SubmitBatchRequest>(*file);
  EXPECT_EQ(request.batch().name(), "n");
  EXPECT_EQ(request.batch().jobs_size(), 2);
}

TEST_F(BatchFileTest, HasAJobALine) {
  EXPECT_THAT(KeysOf("{\"key\": \"batch\", \"handler\": {\"name\": \"echo\"}}\n"
                     "\n"
                     "  {\"key\": \"b\", \"command\": {\"argv\": [\"true\"]}}\n"
                     "{\"key\": \"without an end\"}"),
              ElementsAre("batch", "b", "without an end"));
}

TEST_F(BatchFileTest, HasLinesThatAreLongerThanWhatIsReadAtOnce) {
  const std::string line =
      "{\"key\": \"k\", \"command\": {\"argv\": [\"" + std::string(700'000, 'x') + "\"]}}\n";
  EXPECT_THAT(KeysOf(line + line + "{\"key\": \"last\"}\n"), ElementsAre("k", "k", "last"));
}

TEST_F(BatchFileTest, CanBeReadAgain) {
  auto file = Open("{\"key\": \"a\"}\n{\"key\": \"b\"}\n");
  auto& jobs = *std::get<std::unique_ptr<JobLines>>(*file);
  v1::Job job;
  ASSERT_TRUE(*jobs.Next(&job));
  ASSERT_TRUE(jobs.Rewind().ok());
  EXPECT_THAT(Keys(jobs), ElementsAre("a", "b"));
  ASSERT_TRUE(jobs.Rewind().ok());
  EXPECT_THAT(Keys(jobs), ElementsAre("a", "b"));
}

TEST_F(BatchFileTest, MayBeAPipe) {
  ASSERT_EQ(mkfifo(directory_.PathOf("pipe").c_str(), 0600), 0);
  std::thread writer(
      [&] { std::ofstream(directory_.PathOf("pipe")) << "{\"key\": \"a\"}\n{\"key\": \"b\"}\n"; });
  auto file = OpenBatchFile(directory_.PathOf("pipe"));
  writer.join();
  ASSERT_TRUE(file.ok()) << file.status();
  auto& jobs = *std::get<std::unique_ptr<JobLines>>(*file);
  EXPECT_THAT(Keys(jobs), ElementsAre("a", "b"));
  ASSERT_TRUE(jobs.Rewind().ok());
  EXPECT_THAT(Keys(jobs), ElementsAre("a", "b"));
}

TEST_F(BatchFileTest, AJobWithABatchDeepInsideIsStillAJob) {
  EXPECT_THAT(KeysOf(R"({"key": "k", "command": {"argv": ["x"], "env": {"batch": "1"}}})"),
              ElementsAre("k"));
}

TEST_F(BatchFileTest, NamesTheLineAndTheReason) {
  const std::vector<std::string> keys = KeysOf("{\"key\": \"a\"}\n\n{\"nonsense\": 1}\n");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_THAT(keys[1], HasSubstr("line 3"));
  EXPECT_THAT(keys[1], HasSubstr("nonsense"));
  EXPECT_THAT(Refusal("{\"key\": \n"), HasSubstr("line 1"));
}

TEST_F(BatchFileTest, NamesTheFieldOfARequest) {
  EXPECT_THAT(Refusal(R"({"batch": {"jobs": [{"comand": {}}]}})"), HasSubstr("comand"));
}

TEST_F(BatchFileTest, RefusesWhatIsNestedTooDeepBeforeAParserSeesIt) {
  EXPECT_THAT(Refusal("{\"batch\": " + std::string(100'000, '[')), HasSubstr("deeper than 64"));
  EXPECT_THAT(Refusal(std::string(100'000, '{')), HasSubstr("deeper than 64"));
}

TEST_F(BatchFileTest, IsNamedWhenItCannotBeRead) {
  EXPECT_THAT(std::string(OpenBatchFile("/no/such/file").status().message()),
              HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace jobrunner::client
