#include "web/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace jobrunner::web {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// One name with its help and its values, one for each set of labels.
class Family {
 public:
  Family(std::string name, std::string help, MetricType type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  Family& Add(Labels labels, double value) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    metric.gauge.value = value;
    metric.counter.value = value;
    return *this;
  }

  Family& Add(Labels labels, const engine::TimeHistogram& times) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    uint64_t count = 0;
    for (int i = 0; i < engine::TimeHistogram::kBuckets; ++i) {
      count += times.count(i);
      const bool last = i + 1 == engine::TimeHistogram::kBuckets;
      metric.histogram.bucket.push_back(
          {.cumulative_count = count,
           .upper_bound = last ? std::numeric_limits<double>::infinity()
                               : Seconds(engine::TimeHistogram::UpperBound(i))});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = Seconds(times.sum());
    return *this;
  }

  MetricFamily Take() && { return std::move(family_); }

 private:
  MetricFamily family_;
};

Family Gauge(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Gauge);
}
Family Counter(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Counter);
}

using Families = std::vector<MetricFamily>;
using Queues = std::map<std::string, engine::QueueCounts>;

void AddJobs(const Queues& queues, Families* families) {
  Family jobs = Gauge("jobrunner_jobs", "Jobs that have not ended, by queue and state.");
  Family paused = Gauge("jobrunner_queue_paused", "1 for a queue that is paused.");
  Family accepted = Counter("jobrunner_jobs_accepted_total", "Jobs accepted.");
  Family finished = Counter("jobrunner_jobs_finished_total", "Jobs that ended, by state.");
  for (const auto& [name, queue] : queues) {
    const ClientMetric::Label label{"queue", name};
    jobs.Add({label, {"state", "queued"}}, queue.queued)
        .Add({label, {"state", "running"}}, queue.running)
        .Add({label, {"state", "retrying"}}, queue.retrying);
    paused.Add({label}, queue.paused);
    accepted.Add({label}, queue.accepted);
    finished.Add({label, {"state", "succeeded"}}, queue.succeeded)
        .Add({label, {"state", "failed"}}, queue.failed)
        .Add({label, {"state", "cancelled"}}, queue.cancelled);
  }
  for (Family* family : {&jobs, &paused, &accepted, &finished}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddAttempts(const Queues& queues, Families* families) {
  Family started = Counter("jobrunner_attempts_started_total", "Attempts started.");
  Family retried =
      Counter("jobrunner_attempts_retried_total", "Attempts that failed and were tried again.");
  Family wait =
      Family("jobrunner_queue_wait_seconds",
             "From when a job may start to the start of its attempt.", MetricType::Histogram);
  Family time = Family("jobrunner_attempt_seconds", "From the start of an attempt to its end.",
                       MetricType::Histogram);
  for (const auto& [name, queue] : queues) {
    const ClientMetric::Label label{"queue", name};
    started.Add({label}, queue.attempts_started);
    retried.Add({label}, queue.attempts_retried);
    wait.Add({label}, queue.queue_wait);
    time.Add({label}, queue.attempt_time);
  }
  for (Family* family : {&started, &retried, &wait, &time}) {
    families->push_back(std::move(*family).Take());
  }
}

// "batch_timeout" for REASON_BATCH_TIMEOUT.
std::string ReasonLabel(int reason) {
  const std::string name = v1::Reason_Name(static_cast<v1::Reason>(reason));
  return absl::AsciiStrToLower(absl::StripPrefix(name, "REASON_"));
}

void AddEngine(const engine::Statistics& engine, Families* families) {
  Family cancels =
      Counter("jobrunner_jobs_cancelled_total", "Jobs that were cancelled, by reason.");
  for (int reason = 0; reason < v1::Reason_ARRAYSIZE; ++reason) {
    if (engine.cancels[reason] == 0) continue;
    cancels.Add({{"reason", ReasonLabel(reason)}}, engine.cancels[reason]);
  }
  families->push_back(std::move(cancels).Take());
  families->push_back(
      std::move(Gauge("jobrunner_batches", "Batches, by whether they have finished.")
                    .Add({{"state", "running"}}, engine.batches_running)
                    .Add({{"state", "finished"}}, engine.batches_kept - engine.batches_running))
          .Take());
  families->push_back(
      std::move(Counter("jobrunner_events_written_total", "Events of all logs, serialized once.")
                    .Add({}, engine.events_written))
          .Take());
  families->push_back(std::move(Counter("jobrunner_outcomes_refused_total",
                                        "Outcomes of attempts that were no longer running.")
                                    .Add({}, engine.outcomes_refused))
                          .Take());
  families->push_back(std::move(Gauge("jobrunner_draining", "1 once the server was asked to end.")
                                    .Add({}, engine.draining))
                          .Take());
}

void AddPool(const MetricsSnapshot& snapshot, Families* families) {
  families->push_back(
      std::move(Gauge("jobrunner_pool_slots", "Slots of the worker pool: what there is, by use.")
                    .Add({{"state", "busy"}}, snapshot.pool.busy)
                    .Add({{"state", "idle"}}, snapshot.pool.slots - snapshot.pool.busy)
                    .Add({{"state", "lost"}}, snapshot.engine.slots_lost))
          .Take());
  families->push_back(std::move(Gauge("jobrunner_pool_slots_min", "Slots kept when idle.")
                                    .Add({}, snapshot.pool.bounds.min))
                          .Take());
  families->push_back(
      std::move(
          Gauge("jobrunner_pool_slots_max", "Slots at most.").Add({}, snapshot.pool.bounds.max))
          .Take());
}

void AddRemoteWorkers(const std::vector<engine::RemoteWorkerCounts>& workers, Families* families) {
  int64_t connected = 0;
  int64_t away = 0;
  int64_t held = 0;
  int64_t idle = 0;
  for (const engine::RemoteWorkerCounts& worker : workers) {
    ++(worker.connected ? connected : away);
    held += worker.held;
    if (worker.connected && !worker.leaving) idle += std::max(worker.slots - worker.held, 0);
  }
  families->push_back(std::move(Gauge("jobrunner_remote_workers",
                                      "Remote workers, by whether their stream is there.")
                                    .Add({{"state", "connected"}}, connected)
                                    .Add({{"state", "away"}}, away))
                          .Take());
  families->push_back(std::move(Gauge("jobrunner_remote_slots",
                                      "Slots of remote workers: those held and those to be had.")
                                    .Add({{"state", "busy"}}, held)
                                    .Add({{"state", "idle"}}, idle))
                          .Take());
}

void AddStreams(const StreamCounts& streams, Families* families) {
  families->push_back(std::move(Gauge("jobrunner_streams", "Open calls that stream, by what.")
                                    .Add({{"kind", "events"}}, streams.events)
                                    .Add({{"kind", "errors"}}, streams.errors)
                                    .Add({{"kind", "uploads"}}, streams.uploads)
                                    .Add({{"kind", "workers"}}, streams.workers))
                          .Take());
  families->push_back(
      std::move(Gauge("jobrunner_stream_lag_events",
                      "Events that readers of streams have not got yet, all together.")
                    .Add({}, streams.lag_events))
          .Take());
  families->push_back(std::move(Counter("jobrunner_stream_events_sent_total",
                                        "Events sent to readers of batches, one for each reader.")
                                    .Add({}, streams.events_sent))
                          .Take());
  families->push_back(std::move(Gauge("jobrunner_stream_lag_events_max",
                                      "Events that the reader furthest behind has not got yet.")
                                    .Add({}, streams.lag_events_max))
                          .Take());
}

void AddProcess(const MetricsSnapshot& snapshot, Families* families) {
  families->push_back(
      std::move(Counter("jobrunner_log_lines_dropped_total", "Log lines that were not written.")
                    .Add({{"log", "server"}}, snapshot.log_lines_dropped)
                    .Add({{"log", "job"}}, snapshot.job_log_lines_dropped))
          .Take());
  families->push_back(std::move(Gauge("jobrunner_build_info", "1, with the version of the server.")
                                    .Add({{"version", snapshot.version}}, 1))
                          .Take());
  families->push_back(
      std::move(Gauge("process_start_time_seconds", "When the server started, in Unix time.")
                    .Add({}, Seconds(snapshot.start_time.time_since_epoch())))
          .Take());
}

}  // namespace

std::string RenderMetrics(const MetricsSnapshot& snapshot) {
  Families families;
  AddJobs(snapshot.engine.queues, &families);
  AddAttempts(snapshot.engine.queues, &families);
  AddEngine(snapshot.engine, &families);
  AddPool(snapshot, &families);
  AddRemoteWorkers(snapshot.engine.remote_workers, &families);
  AddStreams(snapshot.streams, &families);
  AddProcess(snapshot, &families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace jobrunner::web
