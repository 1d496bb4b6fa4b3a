// A whole server in process, and the ways of a client.

#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/logging.h"
#include "engine/engine_thread.h"
#include "engine/event_log.h"
#include "engine/store.h"
#include "google/rpc/error_details.pb.h"
#include "jobrunner/v1/admin_service.grpc.pb.h"
#include "jobrunner/v1/job_service.grpc.pb.h"
#include "rpc/error_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/worker_sessions.h"
#include "workers/local_catalog.h"
#include "workers/worker_pool.h"

namespace jobrunner::rpc {

// Jobs of the handler "hold" wait here until they are let go or asked to stop.
class Gate {
 public:
  void Open() ABSL_LOCKS_EXCLUDED(mutex_);
  // Blocks until so many jobs wait here, or have waited here.
  void AwaitHeld(int count) ABSL_LOCKS_EXCLUDED(mutex_);
  // For the handler: whether it was let go, and not stopped.
  bool Pass(std::stop_token stop) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  int held_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The real time, with a wall clock that is ahead.
class ClockAhead final : public base::Clock {
 public:
  explicit ClockAhead(std::chrono::seconds wall_ahead) : wall_ahead_(wall_ahead) {}
  base::Now Read() const override {
    base::Now now = clock_.Read();
    now.wall += wall_ahead_;
    return now;
  }

 private:
  const base::RealClock clock_;
  const std::chrono::seconds wall_ahead_;
};

struct ServedOptions {
  std::chrono::nanoseconds worker_lease = engine::kWorkerLeaseDefault;
  int32_t workers_max = 4;
  std::vector<engine::QueueSettings> queues;
  int64_t jobs_per_batch_max = 10'000;
  int64_t batch_bytes_max = engine::kBatchBytesDefault;
  int32_t uploads_max = engine::kUploadsDefault;
  std::chrono::nanoseconds upload_idle_max = engine::kUploadIdleMax;
  std::string listen = "127.0.0.1:0";
  // "memory:", or "rocksdb:DIRECTORY".
  std::string store = "memory:";
  // Of RocksDB.
  int64_t disk_reserve_bytes = 0;
  // Puts a store of the test's own in front of that one.
  std::function<std::unique_ptr<engine::Store>(std::unique_ptr<engine::Store>)> front;
  // The store may fail; else that is an error.
  bool store_may_fail = false;
  bool allow_any_command = false;
  int64_t request_bytes_max = engine::kRequestBytesDefault;
  Keepalive keepalive;
  // Null: no backups.
  std::function<void(ServerParts::BackupDone)> back_up;
  // The server's wall clock is this much ahead.
  std::chrono::seconds wall_ahead{0};
};

// The real engine, store, worker pool, handlers and commands behind a real gRPC server on a port of
// its own. Destroyed, it stops all of them; a store on disk stays, for another one.
class Served {
 public:
  explicit Served(ServedOptions options = {});
  ~Served();

  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::AdminService::Stub& admin() { return *admin_; }
  const std::string& address() const { return address_; }
  // A connection that nobody else has.
  std::shared_ptr<grpc::Channel> Connect() const;

  Gate& gate() { return gate_; }
  GrpcServer& server() { return *server_; }
  engine::EngineThread& engine() { return *engine_; }
  // Blocks until the store has failed.
  void AwaitStoreFailed() ABSL_LOCKS_EXCLUDED(mutex_);
  // Blocks until the engine has drained.
  void Drain(std::chrono::nanoseconds grace);
  // What AdminService.Drain asked for; blocks until it does.
  std::chrono::nanoseconds AwaitDrainCall();

 private:
  static workers::HandlerRegistry MakeHandlers(Gate* gate);
  static workers::CommandCatalog MakeCommands(bool allow_any);
  void OpenStore(const ServedOptions& options);
  void StartEngine(const ServedOptions& options);
  bool StoreWorks() ABSL_LOCKS_EXCLUDED(mutex_);
  void StoreFailed(bool may_fail) ABSL_LOCKS_EXCLUDED(mutex_);
  ServerParts MakeParts(const ServedOptions& options);

  const ClockAhead clock_;
  base::NullLogger logger_;
  Gate gate_;
  const workers::HandlerRegistry handlers_;
  const workers::CommandCatalog commands_;
  const workers::LocalCatalog catalog_;
  std::unique_ptr<engine::Store> store_;
  engine::EventLogs logs_;
  ErrorChannel errors_;
  std::unique_ptr<engine::EngineThread> engine_;
  std::unique_ptr<WorkerSessions> workers_;
  std::unique_ptr<workers::WorkerPool> pool_;
  std::unique_ptr<GrpcServer> server_;

  absl::Mutex mutex_;
  std::vector<std::chrono::nanoseconds> drain_calls_ ABSL_GUARDED_BY(mutex_);
  bool store_failed_ ABSL_GUARDED_BY(mutex_) = false;

  std::string address_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

// Batches.
v1::Job HandlerJob(const std::string& handler, const std::string& payload = "");
v1::BatchSpec BatchOf(int count, const v1::Job& job);

// Submits, and expects that it is accepted.
v1::Batch Submit(Served& served, const v1::BatchSpec& spec);
// Reads a stream of responses with events to its end.
template <typename Reader, typename Response>
std::vector<v1::Event> ReadAll(Reader& reader, Response response) {
  std::vector<v1::Event> events;
  while (reader.Read(&response)) {
    for (v1::Event& event : *response.mutable_events()) events.push_back(std::move(event));
  }
  return events;
}
// The log of a batch from after a sequence to its end, which is expected to be OK.
std::vector<v1::Event> Results(Served& served, const std::string& batch_id,
                               int64_t after_sequence = 0);

// The details of an error.
google::rpc::Status DetailsOf(const grpc::Status& status);
template <typename Detail>
std::vector<Detail> DetailsOfKind(const grpc::Status& status) {
  std::vector<Detail> found;
  Detail detail;
  const google::rpc::Status details = DetailsOf(status);
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) found.push_back(detail);
  }
  return found;
}
// The reason of its ErrorInfo, which every error has; empty if this one has not.
std::string ReasonIn(const grpc::Status& status);
// The fields that its BadRequest names.
std::vector<std::string> FieldsIn(const grpc::Status& status);

}  // namespace jobrunner::rpc
