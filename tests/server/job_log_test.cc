#include "server/job_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "server/job_log_line.h"
#include "support/temporary_directory.h"

namespace jobrunner::server {
namespace {

using ::testing::HasSubstr;

engine::BatchHeader Batch(int32_t attempts_max = 0) {
  engine::BatchHeader batch;
  batch.id = "0190-id";
  batch.spec.set_name("people");
  batch.spec.set_queue("default");
  if (attempts_max > 0) {
    batch.defaults.mutable_retry_policy()->set_max_attempts(attempts_max);
  }
  return batch;
}

v1::Event Event(const std::string& text) {
  v1::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

constexpr char kDone[] = R"(job_key: "Alice" result {
  state: JOB_STATE_SUCCEEDED attempts: 1 worker: "worker 1" run_time { nanos: 234000000 } })";

constexpr char kFailedAttempt[] = R"(time { seconds: 100 } job_index: 2 job_key: "Charlie"
  attempt_error { attempt: 1 worker: "worker 3" will_retry: true
    next_attempt_time { seconds: 101 nanos: 200000000 }
    error { code: 2 reason: REASON_EXIT_CODE message: "exit code 3" }
    exit_code: 3 run_time { nanos: 5000000 } })";

constexpr char kFailed[] = R"(job_index: 2 job_key: "Charlie" result {
  state: JOB_STATE_FAILED attempts: 2 worker: "worker 3" run_time { nanos: 5000000 }
  error { code: 2 reason: REASON_EXIT_CODE message: "exit code 3" } exit_code: 3 })";

constexpr char kCancelled[] = R"(job_index: 3 job_key: "Dave" result {
  state: JOB_STATE_CANCELLED attempts: 1 worker: "worker 2" run_time { nanos: 800000000 }
  error { code: 4 reason: REASON_BATCH_TIMEOUT message: "the batch's timeout of 1 s passed" } })";

TEST(JobLogTextTest, AJobThatSucceededSaysWhoRanItAndHowLong) {
  EXPECT_EQ(JobLogText(Batch(), Event(kDone)), "✔ worker 1: Alice done in 234 ms");
}

TEST(JobLogTextTest, AFailedAttemptSaysWhichOneOfHowManyAndWhenTheNextOneIs) {
  EXPECT_EQ(JobLogText(Batch(2), Event(kFailedAttempt)),
            "✘ worker 3: Charlie failed (attempt 1 of 2): exit code 3; again in 1.2 s");
}

TEST(JobLogTextTest, WithoutABackoffTheNextAttemptIsAtOnce) {
  v1::Event event = Event(kFailedAttempt);
  *event.mutable_attempt_error()->mutable_next_attempt_time() = event.time();
  EXPECT_THAT(JobLogText(Batch(2), event), HasSubstr(": exit code 3; again at once"));
}

TEST(JobLogTextTest, TheLastFailureIsTheLastOfItsAttempts) {
  EXPECT_EQ(JobLogText(Batch(2), Event(kFailed)),
            "✘ worker 3: Charlie failed (attempt 2 of 2): exit code 3");
}

TEST(JobLogTextTest, WhereTheBatchsPolicyIsNotTheJobsTheCountIsLeftOut) {
  EXPECT_EQ(JobLogText(Batch(), Event(kFailedAttempt)),
            "✘ worker 3: Charlie failed (attempt 1): exit code 3; again in 1.2 s");
  EXPECT_EQ(JobLogText(Batch(), Event(kFailed)),
            "✘ worker 3: Charlie failed (attempt 2): exit code 3");
}

TEST(JobLogTextTest, TheOnlyAttemptIsNotCounted) {
  v1::Event event = Event(kFailed);
  event.mutable_result()->set_attempts(1);
  EXPECT_EQ(JobLogText(Batch(), event), "✘ worker 3: Charlie failed: exit code 3");
}

TEST(JobLogTextTest, ACriticalErrorIsCalledOne) {
  v1::Event event = Event(kFailed);
  event.mutable_result()->mutable_error()->set_critical(true);
  EXPECT_THAT(JobLogText(Batch(), event), HasSubstr(": critical: exit code 3"));
}

TEST(JobLogTextTest, ACancelledJobSaysWhy) {
  EXPECT_EQ(JobLogText(Batch(), Event(kCancelled)),
            "⊘ worker 2: Dave cancelled (batch timeout) after 800 ms: "
            "the batch's timeout of 1 s passed");
}

TEST(JobLogTextTest, AJobThatNeverRanHasNoWorker) {
  EXPECT_EQ(JobLogText(Batch(), Event(R"(job_key: "Eve" result { state: JOB_STATE_CANCELLED
                                         error { reason: REASON_CLIENT_CANCEL } })")),
            "⊘ Eve cancelled (client cancel)");
}

TEST(JobLogTextTest, AJobWithoutAKeyIsNamedByItsBatchAndIndex) {
  v1::Event event = Event(kDone);
  event.clear_job_key();
  event.set_job_index(17);
  EXPECT_EQ(JobLogText(Batch(), event), "✔ worker 1: 0190-id/17 done in 234 ms");
}

TEST(JobLogTextTest, TimesAreGivenAsPeopleSayThem) {
  const auto done_in = [](int64_t seconds, int32_t nanos) {
    v1::Event event = Event(kDone);
    event.mutable_result()->mutable_run_time()->set_seconds(seconds);
    event.mutable_result()->mutable_run_time()->set_nanos(nanos);
    return JobLogText(Batch(), event);
  };
  EXPECT_THAT(done_in(0, 1'260'000), HasSubstr("done in 1.3 ms"));
  EXPECT_THAT(done_in(59, 0), HasSubstr("done in 59.0 s"));
  EXPECT_THAT(done_in(125, 0), HasSubstr("done in 2 min 5 s"));
}

TEST(JobLogTextTest, OtherEventsHaveNoLine) {
  EXPECT_EQ(JobLogText(Batch(), Event("progress { fraction: 0.5 }")), "");
  EXPECT_EQ(JobLogJson(Batch(), Event("batch_finished {}")), "");
}

google::protobuf::Struct Parsed(const std::string& json) {
  google::protobuf::Struct parsed;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &parsed);
  EXPECT_TRUE(status.ok()) << json;
  return parsed;
}

TEST(JobLogJsonTest, AFailedAttemptHasItsFields) {
  EXPECT_EQ(JobLogJson(Batch(), Event(kFailedAttempt)),
            R"({"time":"1970-01-01T00:01:40Z","batch_id":"0190-id","batch_name":"people",)"
            R"("queue":"default","job_index":2,"job_key":"Charlie","event":"attempt_error",)"
            R"("attempt":1,"worker":"worker 3","reason":"REASON_EXIT_CODE","code":2,)"
            R"("message":"exit code 3","exit_code":3,"run_time_ms":5.000,"will_retry":true,)"
            R"("next_attempt_time":"1970-01-01T00:01:41.200Z"})");
}

TEST(JobLogJsonTest, AResultHasItsFields) {
  EXPECT_EQ(JobLogJson(Batch(), Event(kDone)),
            R"({"time":"1970-01-01T00:00:00Z","batch_id":"0190-id","batch_name":"people",)"
            R"("queue":"default","job_index":0,"job_key":"Alice","event":"result",)"
            R"("state":"JOB_STATE_SUCCEEDED","attempts":1,"worker":"worker 1",)"
            R"("run_time_ms":234.000})");
}

TEST(JobLogJsonTest, WhateverAMessageHoldsTheLineIsOneObject) {
  v1::Event event = Event(kFailed);
  const std::string message = "a \"b\" \\c\n\x1b[2J\x7f\tü";
  event.mutable_result()->mutable_error()->set_message(message);
  const std::string line = JobLogJson(Batch(), event);
  EXPECT_EQ(line.find_first_of("\n\t\x1b"), line.npos);
  EXPECT_EQ(Parsed(line).fields().at("message").string_value(), message);
}

class JobLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<JobLog> Opened(const std::string& file, const std::string& format = "text") {
    config::v1::Log log;
    log.set_job_log(file);
    log.set_job_log_format(format);
    log.set_file_bytes_max(1 << 20);
    auto opened = JobLog::Open(log);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(JobLogTest, EachEventIsALineOfTheFile) {
  const std::string file = directory_.PathOf("jobs.log");
  auto log = Opened(file);
  log->Happened(Batch(2), Event(kFailedAttempt), false);
  log->Happened(Batch(2), Event("progress { fraction: 0.5 }"), false);
  log->Happened(Batch(2), Event(kDone), false);
  log->Close();
  EXPECT_EQ(test::ReadFile(file),
            "✘ worker 3: Charlie failed (attempt 1 of 2): exit code 3; again in 1.2 s\n"
            "✔ worker 1: Alice done in 234 ms\n");
}

TEST_F(JobLogTest, ControlCharactersAreEscaped) {
  const std::string file = directory_.PathOf("jobs.log");
  auto log = Opened(file);
  v1::Event event = Event(kFailed);
  event.mutable_result()->mutable_error()->set_message("one\ntwo\x1b[2J");
  log->Happened(Batch(), event, false);
  log->Close();
  EXPECT_THAT(test::ReadFile(file), HasSubstr(": one\\ntwo\\x1b[2J\n"));
}

TEST_F(JobLogTest, AFullDiskCostsLinesWhichAreCounted) {
  auto log = Opened("/dev/full", "json");
  for (int i = 0; i < 10; ++i) log->Happened(Batch(), Event(kDone), false);
  log->Close();
  EXPECT_EQ(log->dropped(), 10u);
}

TEST_F(JobLogTest, AFileThatCannotBeOpenedIsAnError) {
  config::v1::Log log;
  log.set_job_log(directory_.PathOf("none/jobs.log"));
  EXPECT_FALSE(JobLog::Open(log).ok());
}

}  // namespace
}  // namespace jobrunner::server
