#include "web/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "web/http_server.h"
#include "web/peer.h"

namespace jobrunner::web {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

MetricsSnapshot Snapshot() {
  MetricsSnapshot snapshot;
  snapshot.version = "1.2.3";
  snapshot.start_time = base::WallTime(std::chrono::seconds(1'700'000'000));
  engine::QueueCounts& queue = snapshot.engine.queues["default"];
  queue.queued = 7;
  queue.running = 2;
  queue.retrying = 1;
  queue.accepted = 100;
  queue.succeeded = 80;
  queue.failed = 6;
  queue.cancelled = 4;
  queue.attempts_started = 95;
  queue.attempts_retried = 5;
  queue.attempt_time.Add(milliseconds(3));
  queue.attempt_time.Add(milliseconds(3));
  queue.attempt_time.Add(std::chrono::hours(48));
  snapshot.engine.queues["slow"].paused = true;
  snapshot.engine.cancels[v1::REASON_BATCH_TIMEOUT] = 3;
  snapshot.engine.cancels[v1::REASON_CLIENT_CANCEL] = 1;
  snapshot.engine.batches_running = 2;
  snapshot.engine.batches_kept = 5;
  snapshot.engine.slots_lost = 1;
  snapshot.pool = {.bounds = {0, 8}, .slots = 4, .busy = 3};
  snapshot.streams = {.events = 3,
                      .errors = 1,
                      .uploads = 2,
                      .workers = 5,
                      .lag_events = 50,
                      .lag_events_max = 40,
                      .events_sent = 7000};
  for (const bool connected : {true, true, false}) {
    engine::RemoteWorkerCounts& worker = snapshot.engine.remote_workers.emplace_back();
    worker.slots = 10;
    worker.held = 3;
    worker.connected = connected;
  }
  snapshot.engine.remote_workers[1].leaving = true;
  snapshot.log_lines_dropped = 9;
  snapshot.job_log_lines_dropped = 11;
  return snapshot;
}

TEST(MetricsTest, JobsAreCountedByQueueAndState) {
  EXPECT_THAT(RenderMetrics(Snapshot()),
              AllOf(HasSubstr("# TYPE jobrunner_jobs gauge\n"),
                    HasSubstr("\njobrunner_jobs{queue=\"default\",state=\"queued\"} 7\n"),
                    HasSubstr("\njobrunner_jobs{queue=\"default\",state=\"running\"} 2\n"),
                    HasSubstr("\njobrunner_jobs{queue=\"default\",state=\"retrying\"} 1\n"),
                    HasSubstr("\njobrunner_jobs{queue=\"slow\",state=\"queued\"} 0\n"),
                    HasSubstr("\njobrunner_queue_paused{queue=\"slow\"} 1\n")));
}

TEST(MetricsTest, RemoteWorkersAreCounted) {
  EXPECT_THAT(RenderMetrics(Snapshot()),
              AllOf(HasSubstr("\njobrunner_remote_workers{state=\"connected\"} 2\n"),
                    HasSubstr("\njobrunner_remote_workers{state=\"away\"} 1\n"),
                    HasSubstr("\njobrunner_remote_slots{state=\"busy\"} 9\n"),
                    HasSubstr("\njobrunner_remote_slots{state=\"idle\"} 7\n"),
                    HasSubstr("\njobrunner_streams{kind=\"workers\"} 5\n")));
}

TEST(MetricsTest, WhatHappenedSinceTheStartIsCounted) {
  EXPECT_THAT(
      RenderMetrics(Snapshot()),
      AllOf(HasSubstr("# TYPE jobrunner_jobs_finished_total counter\n"),
            HasSubstr("jobrunner_jobs_finished_total{queue=\"default\",state=\"succeeded\"} 80\n"),
            HasSubstr("jobrunner_jobs_finished_total{queue=\"default\",state=\"failed\"} 6\n"),
            HasSubstr("jobrunner_jobs_finished_total{queue=\"default\",state=\"cancelled\"} 4\n"),
            HasSubstr("jobrunner_jobs_accepted_total{queue=\"default\"} 100\n"),
            HasSubstr("jobrunner_attempts_started_total{queue=\"default\"} 95\n"),
            HasSubstr("jobrunner_attempts_retried_total{queue=\"default\"} 5\n"),
            HasSubstr("jobrunner_jobs_cancelled_total{reason=\"batch_timeout\"} 3\n"),
            HasSubstr("jobrunner_jobs_cancelled_total{reason=\"client_cancel\"} 1\n")));
}

TEST(MetricsTest, ReasonsThatDidNotOccurAreLeftOut) {
  EXPECT_THAT(RenderMetrics(Snapshot()), Not(HasSubstr("critical_error")));
}

TEST(MetricsTest, TimesAreHistograms) {
  EXPECT_THAT(
      RenderMetrics(Snapshot()),
      AllOf(HasSubstr("# TYPE jobrunner_attempt_seconds histogram\n"),
            HasSubstr("jobrunner_attempt_seconds_bucket{queue=\"default\",le=\"0.001\"} 0\n"),
            HasSubstr("jobrunner_attempt_seconds_bucket{queue=\"default\",le=\"0.004\"} 2\n"),
            HasSubstr("jobrunner_attempt_seconds_bucket{queue=\"default\",le=\"+Inf\"} 3\n"),
            HasSubstr("jobrunner_attempt_seconds_count{queue=\"default\"} 3\n"),
            HasSubstr("jobrunner_attempt_seconds_sum{queue=\"default\"} 172800.006"),
            HasSubstr("jobrunner_queue_wait_seconds_count{queue=\"slow\"} 0\n")));
}

TEST(MetricsTest, PoolStreamsAndProcessAreThere) {
  EXPECT_THAT(RenderMetrics(Snapshot()),
              AllOf(HasSubstr("jobrunner_pool_slots{state=\"busy\"} 3\n"),
                    HasSubstr("jobrunner_pool_slots{state=\"idle\"} 1\n"),
                    HasSubstr("jobrunner_pool_slots{state=\"lost\"} 1\n"),
                    HasSubstr("jobrunner_pool_slots_max 8\n"),
                    HasSubstr("jobrunner_batches{state=\"running\"} 2\n"),
                    HasSubstr("jobrunner_batches{state=\"finished\"} 3\n"),
                    HasSubstr("jobrunner_streams{kind=\"events\"} 3\n"),
                    HasSubstr("jobrunner_streams{kind=\"uploads\"} 2\n"),
                    HasSubstr("jobrunner_stream_lag_events 50\n"),
                    HasSubstr("jobrunner_stream_lag_events_max 40\n"),
                    HasSubstr("jobrunner_stream_events_sent_total 7000\n"),
                    HasSubstr("jobrunner_log_lines_dropped_total{log=\"job\"} 11\n"),
                    HasSubstr("jobrunner_build_info{version=\"1.2.3\"} 1\n"),
                    HasSubstr("process_start_time_seconds 1700000000\n")));
}

TEST(MetricsTest, ThePageIsServedAsPrometheusReadsIt) {
  HttpOptions options;
  options.address = *base::ParseListenAddress("127.0.0.1:0");
  options.pages["/metrics"] = [] {
    return HttpAnswer{.content_type = kMetricsContentType, .body = RenderMetrics(Snapshot())};
  };
  const auto server = HttpServer::Start(std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(test::Get((*server)->address(), "/metrics"),
              AllOf(HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                    HasSubstr("\r\n\r\n# HELP jobrunner_jobs ")));
}

}  // namespace
}  // namespace jobrunner::web
