#include "client/joblog.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace jobrunner::client {
namespace {

JobLogEntry Entry() {
  return {3,
          absl::FromUnixMillis(1'700'000'000'250),
          absl::Milliseconds(1'500),
          42,
          2,
          0,
          "wc -l 'a b'"};
}

TEST(JobLogLine, HasTheColumnsOfGnuParallel) {
  EXPECT_EQ(JobLogHeader(),
            "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n");
  EXPECT_EQ(JobLogLine(Entry()), "3\t:\t1700000000.250\t     1.500\t0\t42\t2\t0\twc -l 'a b'\n");
}

TEST(JobLogLine, StaysALineWhateverTheCommandHolds) {
  JobLogEntry entry = Entry();
  entry.command = "a\tb\nc";
  EXPECT_TRUE(JobLogLine(entry).ends_with("\ta\\tb\\nc\n"));
}

TEST(JobLog, HasEachLineInTheFileAtOnce) {
  const std::string path = testing::TempDir() + "joblog_test.log";
  const auto log = JobLog::Create(path).value();
  ASSERT_TRUE(log->Add(Entry()).ok());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), JobLogHeader() + JobLogLine(Entry()));
}

TEST(JobLog, AFileThatCannotBeMadeIsNamed) {
  const auto log = JobLog::Create("/nowhere/at/all");
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.status().message().find("/nowhere/at/all"), absl::string_view::npos);
}

}  // namespace
}  // namespace jobrunner::client
