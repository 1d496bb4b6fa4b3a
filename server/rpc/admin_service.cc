#include "rpc/admin_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/engine_thread.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "engine/statistics.h"
#include "engine/work_catalog.h"
#include "rpc/engine_query.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

v1::QueueInfo QueueInfoOf(const std::string& name, const engine::QueueCounts& counts) {
  v1::QueueInfo info;
  info.set_name(name);
  info.set_max_running(counts.max_running);
  info.set_max_queued(counts.max_queued);
  info.set_paused(counts.paused);
  return info;
}

v1::QueueStatistics QueueStatisticsOf(const std::string& name, const engine::QueueCounts& counts) {
  v1::QueueStatistics statistics;
  statistics.set_name(name);
  statistics.set_queued(counts.queued);
  statistics.set_running(counts.running);
  statistics.set_retrying(counts.retrying);
  statistics.set_paused(counts.paused);
  return statistics;
}

v1::RemoteWorkerStatistics RemoteWorkerOf(const engine::RemoteWorkerCounts& counts) {
  v1::RemoteWorkerStatistics statistics;
  statistics.set_name(counts.name);
  statistics.mutable_handlers()->Assign(counts.handlers.begin(), counts.handlers.end());
  statistics.set_slots(counts.slots);
  statistics.mutable_labels()->insert(counts.labels.begin(), counts.labels.end());
  statistics.set_sdk(counts.sdk);
  statistics.set_held(counts.held);
  *statistics.mutable_connect_time() = engine::ToTimestamp(counts.since);
  statistics.set_connected(counts.connected);
  statistics.set_leaving(counts.leaving);
  return statistics;
}

void AddTotals(const engine::Statistics& counted, v1::GetStatisticsResponse* response) {
  for (const auto& [name, queue] : counted.queues) {
    *response->add_queues() = QueueStatisticsOf(name, queue);
    response->set_jobs_accepted(response->jobs_accepted() + queue.accepted);
    response->set_jobs_succeeded(response->jobs_succeeded() + queue.succeeded);
    response->set_jobs_failed(response->jobs_failed() + queue.failed);
    response->set_jobs_cancelled(response->jobs_cancelled() + queue.cancelled);
    response->set_attempts_started(response->attempts_started() + queue.attempts_started);
    response->set_attempts_retried(response->attempts_retried() + queue.attempts_retried);
  }
  response->set_batches_running(counted.batches_running);
  response->set_batches_kept(counted.batches_kept);
  response->set_events_written(counted.events_written);
  for (const engine::RemoteWorkerCounts& worker : counted.remote_workers) {
    *response->add_remote_workers() = RemoteWorkerOf(worker);
  }
}

v1::PoolStatistics PoolStatisticsOf(engine::PoolBounds bounds, const engine::Executor& executor,
                                    int64_t slots_lost) {
  const engine::ExecutorStatistics counted = executor.Statistics();
  v1::PoolStatistics statistics;
  statistics.set_workers_min(bounds.min);
  statistics.set_workers_max(bounds.max);
  statistics.set_slots(counted.slots);
  statistics.set_busy(counted.busy);
  statistics.set_lost(static_cast<int32_t>(slots_lost));
  return statistics;
}

// What the engine is asked, in one look.
struct Seen {
  engine::Statistics statistics;
  engine::PoolBounds pool;
};
Seen LookAtAll(const engine::Engine& engine) { return {engine.CountAll(), engine.pool()}; }

absl::StatusOr<engine::PoolBounds> BoundsOf(const v1::ResizePoolRequest& request,
                                            engine::PoolBounds now) {
  if (request.has_workers_max()) now.max = request.workers_max();
  if (now.max < 1 || now.max > engine::kWorkersMax) {
    return InvalidField("workers_max", absl::StrCat("must be 1 to ", engine::kWorkersMax));
  }
  // A smaller maximum takes the minimum with it, unless that is said too.
  now.min = request.has_workers_min() ? request.workers_min() : std::min(now.min, now.max);
  if (now.min < 0 || now.min > now.max) {
    return InvalidField("workers_min", absl::StrCat("must be 0 to workers_max, ", now.max));
  }
  return now;
}

}  // namespace

AdminService::AdminService(const ServiceParts& parts)
    : parts_(parts), start_(parts.server.clock->Read()) {}

AdminService::Unary* AdminService::GetServerInfo(Context* /*context*/, const Bytes* request,
                                                 Bytes* response) {
  return ServeUnary<v1::GetServerInfoRequest>(
      request, response, parts_.calls,
      [this](const auto& /*message*/, const auto& call) { ShowServer(call); });
}

AdminService::Unary* AdminService::GetStatistics(Context* /*context*/, const Bytes* request,
                                                 Bytes* response) {
  return ServeUnary<v1::GetStatisticsRequest>(
      request, response, parts_.calls,
      [this](const auto& /*message*/, const auto& call) { Count(call); });
}

AdminService::Unary* AdminService::PauseQueue(Context* /*context*/, const Bytes* request,
                                              Bytes* response) {
  return ServeUnary<v1::PauseQueueRequest>(
      request, response, parts_.calls, [this](const auto& message, const auto& call) {
        SetPaused<v1::PauseQueueResponse>(message.queue(), true, call);
      });
}

AdminService::Unary* AdminService::ResumeQueue(Context* /*context*/, const Bytes* request,
                                               Bytes* response) {
  return ServeUnary<v1::ResumeQueueRequest>(
      request, response, parts_.calls, [this](const auto& message, const auto& call) {
        SetPaused<v1::ResumeQueueResponse>(message.queue(), false, call);
      });
}

AdminService::Unary* AdminService::ResizePool(Context* /*context*/, const Bytes* request,
                                              Bytes* response) {
  return ServeUnary<v1::ResizePoolRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { Resize(message, call); });
}

AdminService::Unary* AdminService::Drain(Context* /*context*/, const Bytes* request,
                                         Bytes* response) {
  return ServeUnary<v1::DrainRequest>(
      request, response, parts_.calls,
      [this](const auto& message, const auto& call) { BeginDrain(message, call); });
}

AdminService::Unary* AdminService::BackUp(Context* /*context*/, const Bytes* request,
                                          Bytes* response) {
  return ServeUnary<v1::BackUpRequest>(
      request, response, parts_.calls,
      [this](const auto& /*message*/, const auto& call) { MakeBackup(call); });
}

void AdminService::ShowServer(const Call& call) {
  struct Answer {
    engine::Statistics statistics;
    engine::PoolBounds pool;
    bool draining;
  };
  AskEngine(
      parts_.server.engine, &parts_.threads->replies,
      [](const engine::Engine& engine) {
        return Answer{engine.CountAll(), engine.pool(), engine.draining()};
      },
      [this, call](const Answer& answer) {
        const ServerParts& server = parts_.server;
        v1::GetServerInfoResponse response;
        response.set_version(server.info.version);
        response.set_store(server.info.store);
        *response.mutable_start_time() = engine::ToTimestamp(start_.wall);
        for (auto& name : server.catalog->Handlers()) response.add_handlers(std::move(name));
        for (auto& name : server.catalog->Commands()) response.add_commands(std::move(name));
        response.set_any_command(server.catalog->AllowsAnyCommand());
        if (auto hosts = server.catalog->HttpHosts()) {
          response.mutable_http()->mutable_hosts()->Assign(hosts->begin(), hosts->end());
        }
        for (const auto& [name, queue] : answer.statistics.queues) {
          *response.add_queues() = QueueInfoOf(name, queue);
        }
        *response.mutable_limits() = server.info.limits;
        response.mutable_limits()->set_workers_min(answer.pool.min);
        response.mutable_limits()->set_workers_max(answer.pool.max);
        response.set_draining(answer.draining);
        call->Answer(response);
      });
}

void AdminService::Count(const Call& call) {
  AskEngine(parts_.server.engine, &parts_.threads->replies, LookAtAll,
            [this, call](const Seen& seen) {
              v1::GetStatisticsResponse response;
              AddTotals(seen.statistics, &response);
              *response.mutable_pool() =
                  PoolStatisticsOf(seen.pool, *parts_.server.executor, seen.statistics.slots_lost);
              *response.mutable_uptime() =
                  engine::ToDuration(parts_.server.clock->Read().steady - start_.steady);
              response.set_streams(parts_.calls->streams());
              response.set_events_sent(parts_.calls->events_sent());
              call->Answer(response);
            });
}

template <typename Response>
void AdminService::SetPaused(const std::string& queue, bool paused, const Call& call) {
  const auto show = [=, this] {
    AskEngine(parts_.server.engine, &parts_.threads->replies, LookAtAll, [=](const Seen& seen) {
      Response response;
      const auto found = seen.statistics.queues.find(queue);
      if (found != seen.statistics.queues.end()) {
        *response.mutable_queue() = QueueInfoOf(queue, found->second);
      }
      call->Answer(response);
    });
  };
  engine::PauseQueue pause;
  pause.queue = queue;
  pause.paused = paused;
  pause.reply = [=, this](const absl::Status& status) {
    parts_.threads->replies.Post([=] { status.ok() ? show() : call->Refuse(status); });
  };
  parts_.server.engine->Tell(std::move(pause));
}

void AdminService::Resize(const v1::ResizePoolRequest& request, const Call& call) {
  const auto show = [=, this] {
    AskEngine(
        parts_.server.engine, &parts_.threads->replies, LookAtAll, [=, this](const Seen& seen) {
          v1::ResizePoolResponse response;
          *response.mutable_pool() =
              PoolStatisticsOf(seen.pool, *parts_.server.executor, seen.statistics.slots_lost);
          call->Answer(response);
        });
  };
  AskEngine(parts_.server.engine, &parts_.threads->replies, LookAtAll, [=, this](const Seen& seen) {
    const auto bounds = BoundsOf(request, seen.pool);
    if (!bounds.ok()) return call->Refuse(bounds.status());
    parts_.server.engine->Tell(engine::ResizePool{*bounds, show});
  });
}

void AdminService::MakeBackup(const Call& call) {
  if (!parts_.server.back_up) {
    return call->Refuse(engine::Refuse(
        absl::StatusCode::kFailedPrecondition, "BACKUP_NOT_CONFIGURED",
        "there are no backups: the server's configuration names no backup.directory, or it has a "
        "store in memory"));
  }
  parts_.server.back_up([this, call](absl::StatusOr<v1::BackUpResponse> made) {
    parts_.threads->replies.Post([call, made = std::move(made)] {
      made.ok() ? call->Answer(*made) : call->Refuse(made.status());
    });
  });
}

void AdminService::BeginDrain(const v1::DrainRequest& request, const Call& call) {
  const auto grace = GracePeriod(request.has_grace_period(), request.grace_period(),
                                 engine::FromDuration(parts_.server.info.limits.shutdown_grace()));
  if (!grace.ok()) return call->Refuse(grace.status());
  call->Answer(v1::DrainResponse());
  parts_.server.drain(*grace);
}

}  // namespace jobrunner::rpc
