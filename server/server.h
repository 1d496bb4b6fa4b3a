// The composition root: every part of the service, wired.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/event_log.h"
#include "jobrunner/config/v1/config.pb.h"
#include "server/commands_lock.h"

namespace jobrunner::base {
class SpdlogLogger;
}
namespace jobrunner::engine {
class EngineThread;
struct Recovery;
class Store;
class WorkCatalog;
}  // namespace jobrunner::engine
namespace jobrunner::rpc {
class ErrorChannel;
class GrpcServer;
class WorkerSessions;
}  // namespace jobrunner::rpc
namespace jobrunner::storage {
class BackupSource;
}
namespace jobrunner::v1 {
class BackUpResponse;
}
namespace jobrunner::web {
class HttpServer;
struct HttpAnswer;
}  // namespace jobrunner::web
namespace jobrunner::workers {
class CommandCatalog;
class HandlerRegistry;
class HttpJobs;
class WorkerPool;
}  // namespace jobrunner::workers

namespace jobrunner::server {

class JobLog;

// A server that serves from Start to Stop. Its methods are for one thread.
class Server {
 public:
  // Called on any thread; must not block.
  struct Events {
    // AdminService.Drain was called.
    std::function<void(std::chrono::nanoseconds grace)> drain_asked;
    // The store failed: the process has to end.
    std::function<void(absl::Status)> failed;
  };

  // `config` was checked and has its defaults (LoadConfig). Serves once it returns. Errors say what
  // could not be had: INVALID_ARGUMENT names a field, others a file or an address, or who has the
  // store.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const config::v1::Config& config,
                                                       base::SpdlogLogger* logger, Events events);
  // Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where gRPC is served: HOST:PORT, the port being the one that was picked, or unix:PATH.
  const std::string& address() const { return address_; }

  // Accepts no batch any more, gives what runs `grace`, then stops it; look-ups and streams go on.
  // `drained` is called on any thread when nothing runs. Called again, a shorter grace counts.
  void Drain(std::chrono::nanoseconds grace, std::function<void()> drained);

  // Changes what can be changed while it serves: the bounds of the pool, the queues, the log level.
  void Reconfigure(const config::v1::Config& config);

  // Ends streams and calls, what runs, and the threads; blocks until then. Calls that are being
  // answered have `grace`. Safe to call twice.
  void Stop(std::chrono::nanoseconds grace);

  // Handlers that ignored their stop and still run, when it stopped: they have the process's
  // memory.
  bool has_lost_handlers() const { return has_lost_handlers_; }
  // Attempts that run now.
  int32_t running() const;
  // Lines of the job log that were not written.
  uint64_t job_log_lines_dropped() const;

 private:
  Server(const config::v1::Config& config, base::SpdlogLogger* logger, Events events);

  absl::Status OpenJobLog();
  absl::Status LoadCatalog();
  // Blocks until what an earlier server left has been read.
  absl::Status OpenStore();
  void MakeEngine();
  absl::Status StartPool();
  absl::Status StartGrpc();
  absl::Status StartWeb();
  // Does not block; `done` is called on any thread.
  void BackUp(std::function<void(absl::StatusOr<v1::BackUpResponse>)> done);
  void WarnOfStrangers() const;

  web::HttpAnswer Health() const;
  web::HttpAnswer Metrics() const;

  const config::v1::Config config_;
  const Events events_;
  const base::RealClock clock_;
  const base::WallTime start_time_;
  base::SpdlogLogger* const logger_;
  std::atomic<bool> draining_ = false;
  bool has_lost_handlers_ = false;

  // Each uses what stands above it, and so ends before it.
  std::unique_ptr<JobLog> job_log_;
  std::unique_ptr<workers::HandlerRegistry> handlers_;
  std::unique_ptr<workers::CommandCatalog> commands_;
  // Null when they are off.
  std::unique_ptr<workers::HttpJobs> http_;
  std::unique_ptr<engine::WorkCatalog> catalog_;
  std::unique_ptr<engine::Store> store_;
  // The store, if there can be backups of it.
  storage::BackupSource* backups_ = nullptr;
  CommandsLock commands_lock_;
  // Spent when the engine starts.
  std::unique_ptr<engine::Recovery> recovery_;
  engine::EventLogs logs_;
  std::unique_ptr<rpc::ErrorChannel> errors_;
  // Two that know each other: the engine's thread has ended before either goes.
  std::unique_ptr<engine::EngineThread> engine_;
  std::unique_ptr<rpc::WorkerSessions> worker_sessions_;
  std::unique_ptr<workers::WorkerPool> pool_;
  std::unique_ptr<rpc::GrpcServer> grpc_;
  std::string address_;
  std::unique_ptr<web::HttpServer> web_;
};

}  // namespace jobrunner::server
