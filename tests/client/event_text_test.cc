#include "client/event_text.h"

#include <gtest/gtest.h>

#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

v1::Event ResultEvent(v1::JobState state) {
  v1::Event event;
  event.set_job_index(3);
  event.set_job_key("Alice");
  event.mutable_result()->set_state(state);
  event.mutable_result()->set_attempts(1);
  event.mutable_result()->mutable_run_time()->set_nanos(234'000'000);
  event.mutable_result()->set_worker("worker 1");
  return event;
}

TEST(EventLine, TellsOfSuccess) {
  EXPECT_EQ(EventLine(ResultEvent(v1::JOB_STATE_SUCCEEDED)),
            "✔ job 3 (Alice): succeeded in 234 ms, worker 1");
}

TEST(EventLine, TellsOfFailureAndItsAttempts) {
  v1::Event event = ResultEvent(v1::JOB_STATE_FAILED);
  event.mutable_result()->set_attempts(2);
  event.mutable_result()->mutable_error()->set_message("too old");
  event.mutable_result()->mutable_error()->set_critical(true);
  EXPECT_EQ(EventLine(event),
            "✘ job 3 (Alice): failed after 234 ms: too old (critical), worker 1, attempt 2");
}

TEST(EventLine, TellsOfAnAttemptAndTheNext) {
  v1::Event event;
  event.mutable_time()->set_seconds(100);
  event.mutable_attempt_error()->set_attempt(1);
  event.mutable_attempt_error()->mutable_error()->set_reason(v1::REASON_ATTEMPT_TIMEOUT);
  event.mutable_attempt_error()->set_will_retry(true);
  event.mutable_attempt_error()->mutable_next_attempt_time()->set_seconds(102);
  EXPECT_EQ(EventLine(event), "↻ job 0: attempt 1 failed: attempt timeout; again in 2.00 s");
}

TEST(EventLine, TellsOfTheEnd) {
  v1::Event event;
  event.mutable_batch_finished()->set_state(v1::BATCH_STATE_CANCELLED);
  event.mutable_batch_finished()->set_succeeded(2);
  event.mutable_batch_finished()->set_cancelled(1);
  event.mutable_batch_finished()->mutable_error()->set_reason(v1::REASON_BATCH_TIMEOUT);
  EXPECT_EQ(EventLine(event), "batch cancelled: 2 succeeded, 0 failed, 1 cancelled; batch timeout");
}

TEST(EventLine, IsSafeForTerminals) {
  v1::Event event = ResultEvent(v1::JOB_STATE_SUCCEEDED);
  event.set_job_key("a\x1b[2J");
  EXPECT_EQ(EventLine(event), "✔ job 3 (a\\x1b[2J): succeeded in 234 ms, worker 1");
}

TEST(EventLine, SaysNothingOfOutput) {
  v1::Event event;
  event.mutable_output()->set_output("x");
  EXPECT_EQ(EventLine(event), "");
}

TEST(OmittedText, SaysWhatWasLeftOut) {
  v1::JobResult result;
  EXPECT_EQ(OmittedText(result), "");
  result.set_output_omitted(7);
  EXPECT_EQ(OmittedText(result), "7 bytes of its standard output were left out");
  result.set_error_output_omitted(8);
  EXPECT_EQ(OmittedText(result),
            "7 bytes of its standard output and 8 of its standard error were left out");
}

}  // namespace
}  // namespace jobrunner::client
