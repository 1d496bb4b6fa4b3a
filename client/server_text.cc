#include "client/server_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/batch_text.h"
#include "client/duration_text.h"
#include "client/library/safe_text.h"
#include "client/text_table.h"
#include "jobrunner/v1/admin_service.pb.h"

namespace jobrunner::client {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string LimitText(int64_t limit) { return limit == 0 ? "no limit" : absl::StrCat(limit); }

std::string CommandsText(const v1::GetServerInfoResponse& info) {
  if (info.any_command()) return "any";
  if (info.commands().empty()) return "none";
  return SafeText(absl::StrJoin(info.commands(), ", "));
}

std::string HttpText(const v1::GetServerInfoResponse& info) {
  if (!info.has_http() || info.http().hosts().empty()) return "none";
  return absl::StrCat("to ", SafeText(absl::StrJoin(info.http().hosts(), ", ")));
}

std::string PoolLine(const v1::PoolStatistics& pool) {
  std::string line = absl::StrCat(pool.busy(), " of ", pool.slots(), " slots busy, ",
                                  pool.workers_min(), " to ", pool.workers_max(), " slots");
  if (pool.lost() > 0) absl::StrAppend(&line, ", ", pool.lost(), " lost");
  return line;
}

std::string QueueLine(const v1::QueueStatistics& queue) {
  return absl::StrCat(SafeText(queue.name()), ": ", queue.queued(), " queued, ", queue.running(),
                      " running, ", queue.retrying(), " retrying",
                      queue.paused() ? ", paused" : "");
}

std::string RemoteWorkerLine(const v1::RemoteWorkerStatistics& worker) {
  std::string line =
      absl::StrCat(SafeText(worker.name()), ": ", worker.held(), " of ", worker.slots(),
                   " slots busy, ", worker.connected() ? "since " : "away, was there since ",
                   TimeText(FromProto(worker.connect_time())), ", offers ",
                   SafeText(absl::StrJoin(worker.handlers(), ", ")));
  if (worker.leaving()) absl::StrAppend(&line, "; leaves");
  if (!worker.sdk().empty()) absl::StrAppend(&line, "; ", SafeText(worker.sdk()));
  const std::string labels = LabelsText(worker.labels());
  if (!labels.empty()) absl::StrAppend(&line, "; ", SafeText(labels));
  return line;
}

void AddLimits(const v1::ServerLimits& limits, Rows* rows) {
  rows->push_back({"workers", absl::StrCat(limits.workers_min(), " to ", limits.workers_max())});
  rows->push_back({"jobs a batch", absl::StrCat(limits.jobs_per_batch_max())});
  rows->push_back({"unfinished jobs", absl::StrCat(limits.jobs_unfinished_max())});
  rows->push_back({"request", absl::StrCat(limits.request_bytes_max(), " bytes")});
  rows->push_back({"batch", absl::StrCat(limits.batch_bytes_max(), " bytes")});
  rows->push_back({"uploads at once", absl::StrCat(limits.uploads_max())});
  rows->push_back({"payload", absl::StrCat(limits.payload_bytes_max(), " bytes")});
  rows->push_back({"output", absl::StrCat(limits.output_bytes_max(), " bytes")});
  rows->push_back({"shutdown grace", DurationText(FromProto(limits.shutdown_grace()))});
}

}  // namespace

std::string ServerInfoText(const v1::GetServerInfoResponse& info) {
  Rows rows;
  rows.push_back({"version", SafeText(info.version())});
  rows.push_back({"started", TimeText(FromProto(info.start_time()))});
  rows.push_back({"store", SafeText(info.store())});
  rows.push_back({"state", info.draining() ? "draining" : "serving"});
  rows.push_back({"handlers", SafeText(absl::StrJoin(info.handlers(), ", "))});
  rows.push_back({"commands", CommandsText(info)});
  rows.push_back({"HTTP requests", HttpText(info)});
  AddLimits(info.limits(), &rows);
  std::string text = TextTable(rows);
  for (const v1::QueueInfo& queue : info.queues()) absl::StrAppend(&text, QueueText(queue));
  return text;
}

std::string StatisticsText(const v1::GetStatisticsResponse& statistics) {
  Rows rows;
  rows.push_back({"uptime", DurationText(FromProto(statistics.uptime()))});
  rows.push_back({"pool", PoolLine(statistics.pool())});
  rows.push_back({"batches", absl::StrCat(statistics.batches_running(), " running, ",
                                          statistics.batches_kept(), " kept")});
  rows.push_back(
      {"jobs", absl::StrCat(statistics.jobs_accepted(), " accepted, ", statistics.jobs_succeeded(),
                            " succeeded, ", statistics.jobs_failed(), " failed, ",
                            statistics.jobs_cancelled(), " cancelled")});
  rows.push_back({"attempts", absl::StrCat(statistics.attempts_started(), " started, ",
                                           statistics.attempts_retried(), " retried")});
  rows.push_back({"streams", absl::StrCat(statistics.streams())});
  rows.push_back({"events", absl::StrCat(statistics.events_written(), " written, ",
                                         statistics.events_sent(), " sent")});
  for (const auto& queue : statistics.queues()) rows.push_back({"queue", QueueLine(queue)});
  for (const auto& worker : statistics.remote_workers()) {
    rows.push_back({"worker", RemoteWorkerLine(worker)});
  }
  return TextTable(rows);
}

std::string PoolText(const v1::PoolStatistics& pool) {
  return TextTable({{"pool", PoolLine(pool)}});
}

std::string QueueText(const v1::QueueInfo& queue) {
  return absl::StrCat("queue ", SafeText(queue.name()), ": ", queue.paused() ? "paused" : "open",
                      ", running ", LimitText(queue.max_running()), ", queued ",
                      LimitText(queue.max_queued()), "\n");
}

}  // namespace jobrunner::client
