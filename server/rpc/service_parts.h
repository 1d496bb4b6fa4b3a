// What the services work with.

#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/limits.h"
#include "engine/validation.h"
#include "jobrunner/v1/admin_service.pb.h"
#include "rpc/dispatcher.h"
#include "rpc/open_calls.h"

namespace jobrunner::engine {
class EngineThread;
class EventLogs;
class Executor;
class Store;
class WorkCatalog;
}  // namespace jobrunner::engine

namespace jobrunner::rpc {

class ErrorChannel;
class WorkerSessions;

// What does not change while the server runs.
struct ServerInfo {
  std::string version;
  // The kind of store: "memory".
  std::string store;
  // The bounds of the pool are the engine's to say.
  v1::ServerLimits limits;
};

// The rest of the server, as the services see it. All outlive them.
struct ServerParts {
  engine::EngineThread* engine = nullptr;
  engine::EventLogs* logs = nullptr;
  engine::Store* store = nullptr;
  const engine::WorkCatalog* catalog = nullptr;
  const engine::Executor* executor = nullptr;
  const base::Clock* clock = nullptr;
  ErrorChannel* errors = nullptr;
  WorkerSessions* workers = nullptr;
  // request_bytes_max is GrpcServerOptions'.
  engine::ValidationLimits validation;
  // UploadBatch calls at once, and how long one may send nothing.
  int32_t uploads_max = engine::kUploadsDefault;
  std::chrono::nanoseconds upload_idle_max = engine::kUploadIdleMax;
  ServerInfo info;
  // Begins to drain and end the server; does not block.
  std::function<void(std::chrono::nanoseconds grace)> drain;
  // Has a backup made, and calls `done` on any thread; does not block. Null: there are none.
  using BackupDone = std::function<void(absl::StatusOr<v1::BackUpResponse>)>;
  std::function<void(BackupDone done)> back_up;
};

// Threads that do what neither the engine's thread nor gRPC's few must wait for.
struct ServiceThreads {
  // Answers, and streams that go on.
  Dispatcher replies;
  // Large submissions, of which one of a million jobs takes half a second to read, and uploads,
  // which wait here for the store.
  Dispatcher intake;
  // Look-ups that wait for the store.
  Dispatcher look_ups;
  // What the engine wants remote workers to be told: a job of theirs starts no later because a
  // stream has much to read.
  Dispatcher worker_orders;
};

struct ServiceParts {
  ServerParts server;
  ServiceThreads* threads = nullptr;
  OpenCalls* calls = nullptr;
};

}  // namespace jobrunner::rpc
