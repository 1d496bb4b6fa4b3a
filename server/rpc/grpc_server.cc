#include "rpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/stubs/logging.h"
#include "rpc/admin_service.h"
#include "rpc/job_service.h"
#include "rpc/worker_service.h"
#include "rpc/worker_sessions.h"

namespace jobrunner::rpc {
namespace {

// Clients may ping every ten seconds, with or without a call; the second allows for their timers.
constexpr int kClientPingIntervalMs = 9'000;

// Once in the process, before any server is built.
void PrepareGrpc() {
  static absl::once_flag once;
  absl::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // What clients send is theirs: a text that is not UTF-8 is their error, not a line on our
    // console.
    google::protobuf::SetLogHandler(nullptr);
  });
}

int Milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

void SetArguments(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.request_bytes_max));
  // A small message could unpack to any size: the limit above counts what was sent.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  // Two servers on one port would share its calls without a word.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive.time));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              Milliseconds(options.keepalive.timeout));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              kClientPingIntervalMs);
}

ServerParts WithLimits(ServerParts parts, const GrpcServerOptions& options) {
  parts.validation.request_bytes_max = options.request_bytes_max;
  return parts;
}

// `listen` with the port it came to.
std::string BoundAddress(const std::string& listen, int port) {
  if (absl::StartsWith(listen, "unix:")) return listen;
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

}  // namespace

class GrpcServer::Serving {
 public:
  Serving(GrpcServerOptions options, ServerParts parts)
      : options_(std::move(options)),
        parts_{WithLimits(std::move(parts), options_), &threads_, &calls_},
        jobs_(parts_),
        admin_(parts_),
        workers_(parts_) {}

  absl::StatusOr<std::string> Start();
  void SetServing(bool serving);
  void Drain();
  void Stop(std::chrono::nanoseconds grace) ABSL_LOCKS_EXCLUDED(stop_mutex_);
  StreamStatistics streams() const { return calls_.Statistics(); }

 private:
  const GrpcServerOptions options_;
  OpenCalls calls_;
  ServiceThreads threads_;
  const ServiceParts parts_;
  JobService jobs_;
  AdminService admin_;
  WorkerService workers_;
  std::unique_ptr<grpc::Server> server_;

  absl::Mutex stop_mutex_;
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
};

absl::StatusOr<std::string> GrpcServer::Serving::Start() {
  PrepareGrpc();
  grpc::ServerBuilder builder;
  SetArguments(options_, &builder);
  int port = 0;
  builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&jobs_);
  builder.RegisterService(&admin_);
  builder.RegisterService(&workers_);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) {
    server_ = nullptr;
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options_.listen));
  }
  SetServing(true);
  return BoundAddress(options_.listen, port);
}

void GrpcServer::Serving::SetServing(bool serving) {
  if (!server_) return;
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus(v1::JobService::service_full_name(), serving);
  health->SetServingStatus(v1::AdminService::service_full_name(), serving);
  health->SetServingStatus(v1::WorkerService::service_full_name(), serving);
  health->SetServingStatus(serving);
}

// What is running on may end; what is coming in would not be taken.
void GrpcServer::Serving::Drain() {
  SetServing(false);
  calls_.EndUploads();
  parts_.server.workers->Drain();
}

void GrpcServer::Serving::Stop(std::chrono::nanoseconds grace) {
  absl::MutexLock lock(&stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  if (server_) {
    SetServing(false);
    calls_.EndStreams();
    parts_.server.logs->WakeAll();
    calls_.AwaitNone(parts_.server.clock->Read().steady + grace);
    // What is left is cut off: calls that were not answered in time, streams whose readers have
    // stalled, and those of the health and reflection services, which have no end of their own.
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    // gRPC has let go of the calls; the last of their OnDone may still be running.
    calls_.AwaitNone(base::SteadyTime::max());
  }
  threads_.look_ups.Stop();
  threads_.intake.Stop();
  threads_.worker_orders.Stop();
  threads_.replies.Stop();
}

GrpcServer::GrpcServer(GrpcServerOptions options, ServerParts parts)
    : serving_(std::make_unique<Serving>(std::move(options), std::move(parts))) {}

GrpcServer::~GrpcServer() { Stop(std::chrono::nanoseconds(0)); }

absl::StatusOr<std::string> GrpcServer::Start() { return serving_->Start(); }

void GrpcServer::Drain() { serving_->Drain(); }

void GrpcServer::Stop(std::chrono::nanoseconds grace) { serving_->Stop(grace); }

StreamStatistics GrpcServer::streams() const { return serving_->streams(); }

}  // namespace jobrunner::rpc
