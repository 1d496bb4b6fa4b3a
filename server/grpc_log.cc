#include "server/grpc_log.h"

#include <grpc/support/log.h>

#include <string_view>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/logging.h"

namespace jobrunner::server {
namespace {

// gRPC's log function has no argument of ours. The lock keeps the logger alive through a call.
ABSL_CONST_INIT absl::Mutex target_mutex(absl::kConstInit);
base::Logger* target ABSL_GUARDED_BY(target_mutex) = nullptr;

base::LogLevel LevelOf(gpr_log_severity severity) {
  return severity == GPR_LOG_SEVERITY_ERROR ? base::LogLevel::kWarning : base::LogLevel::kDebug;
}

void Route(gpr_log_func_args* line) {
  const std::string_view file(line->file);
  const std::string_view name = file.substr(file.rfind('/') + 1);  // npos + 1 is 0
  absl::ReaderMutexLock lock(&target_mutex);
  if (target == nullptr) return;
  base::LogAt(LevelOf(line->severity), *target, "grpc: %s (%.*s:%d)", line->message,
              static_cast<int>(name.size()), name.data(), line->line);
}

void SetTarget(base::Logger* logger) {
  absl::MutexLock lock(&target_mutex);
  target = logger;
}

}  // namespace

GrpcLog::GrpcLog(base::Logger* logger) {
  SetTarget(logger);
  gpr_set_log_function(&Route);
}

GrpcLog::~GrpcLog() { SetTarget(nullptr); }

}  // namespace jobrunner::server
