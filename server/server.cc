#include "server/server.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/listen_address.h"
#include "base/prng.h"
#include "base/spdlog_logger.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "engine/engine_thread.h"
#include "engine/proto_time.h"
#include "rpc/error_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/worker_sessions.h"
#include "server/descriptor_limit.h"
#include "server/engine_config.h"
#include "server/job_log.h"
#include "server/log_level.h"
#include "server/socket_in_use.h"
#include "server/state_directory.h"
#include "storage/open_store.h"
#include "web/engine_statistics.h"
#include "web/http_server.h"
#include "web/metrics.h"
#include "workers/command_catalog.h"
#include "workers/handler_registry.h"
#include "workers/http/curl_http_jobs.h"
#include "workers/local_catalog.h"
#include "workers/worker_pool.h"

namespace jobrunner::server {
namespace {

rpc::ServerInfo ServerInfoOf(const config::v1::Config& config) {
  rpc::ServerInfo info;
  info.version = base::kVersion;
  info.store = config.store().substr(0, config.store().find(':'));
  v1::ServerLimits& limits = info.limits;
  limits.set_workers_min(config.workers().min());
  limits.set_workers_max(config.workers().max());
  limits.set_jobs_per_batch_max(config.limits().jobs_per_batch_max());
  limits.set_jobs_unfinished_max(config.limits().jobs_unfinished_max());
  limits.set_request_bytes_max(config.limits().request_bytes_max());
  limits.set_batch_bytes_max(config.limits().batch_bytes_max());
  limits.set_uploads_max(config.limits().uploads_max());
  limits.set_payload_bytes_max(engine::kPayloadBytesMax);
  limits.set_output_bytes_max(config.commands().output_bytes_max());
  *limits.mutable_shutdown_grace() = config.shutdown_grace();
  return info;
}

// Of a store on disk.
std::optional<std::string> DirectoryOf(absl::string_view store) {
  if (!absl::ConsumePrefix(&store, "rocksdb:")) return std::nullopt;
  return std::string(store);
}

// Those of a server that was killed get SIGKILL; one that is stuck in the kernel takes its time.
constexpr std::chrono::seconds kCommandsEndTime{10};
constexpr std::chrono::milliseconds kStatisticsTimeout{2000};
constexpr std::chrono::milliseconds kLastStatisticsTimeout{200};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const config::v1::Config& config,
                                                      base::SpdlogLogger* logger, Events events) {
  std::unique_ptr<Server> server(new Server(config, logger, std::move(events)));
  RETURN_IF_ERROR(server->OpenJobLog());
  RETURN_IF_ERROR(server->LoadCatalog());
  RETURN_IF_ERROR(server->OpenStore());
  server->MakeEngine();
  // Before any thread of gRPC: the pool starts the process that starts commands.
  RETURN_IF_ERROR(server->StartPool());
  RETURN_IF_ERROR(server->StartGrpc());
  RETURN_IF_ERROR(server->StartWeb());
  server->WarnOfStrangers();
  return server;
}

Server::Server(const config::v1::Config& config, base::SpdlogLogger* logger, Events events)
    : config_(config),
      events_(std::move(events)),
      start_time_(clock_.Read().wall),
      logger_(logger) {}

Server::~Server() { Stop(std::chrono::nanoseconds(0)); }

absl::Status Server::OpenJobLog() {
  if (config_.log().job_log().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(job_log_, JobLog::Open(config_.log()));
  return absl::OkStatus();
}

absl::Status Server::LoadCatalog() {
  handlers_ = std::make_unique<workers::HandlerRegistry>();
  ASSIGN_OR_RETURN(auto commands, workers::CommandCatalog::Load(config_.commands()));
  commands_ = std::make_unique<workers::CommandCatalog>(std::move(commands));
  ASSIGN_OR_RETURN(http_, workers::LoadCurlHttpJobs(config_.http()));
  catalog_ = std::make_unique<workers::LocalCatalog>(
      handlers_.get(), commands_.get(), workers::LocalCatalog::RemoteHandlers::kAny, http_.get());
  return absl::OkStatus();
}

absl::Status Server::OpenStore() {
  if (const auto directory = DirectoryOf(config_.store())) {
    RETURN_IF_ERROR(MakeDirectoriesAbove(*directory));
  }
  storage::StoreOptions options;
  options.disk_reserve_bytes = config_.limits().disk_reserve();
  options.failed = events_.failed;
  ASSIGN_OR_RETURN(auto opened, storage::OpenStore(config_.store(), std::move(options)));
  store_ = std::move(opened.store);
  backups_ = opened.backups;
  if (const auto directory = DirectoryOf(config_.store())) {
    // In the store's directory, whose lock is held by now: there is no other server.
    ASSIGN_OR_RETURN(commands_lock_,
                     CommandsLock::Take(*directory + "/COMMANDS", kCommandsEndTime));
  }
  ASSIGN_OR_RETURN(auto recovery, store_->Recover());
  recovery_ = std::make_unique<engine::Recovery>(std::move(recovery));
  if (recovery_->staged_dropped > 0) {
    base::LogInfo(*logger_, "uploads that were cut off, and are gone: %d",
                  recovery_->staged_dropped);
  }
  if (!store_->durable()) return absl::OkStatus();
  base::LogInfo(*logger_, "store %s, start %d on it: %d batches go on", config_.store(),
                recovery_->epoch, recovery_->unfinished.size());
  return absl::OkStatus();
}

void Server::MakeEngine() {
  errors_ = std::make_unique<rpc::ErrorChannel>();
  engine::EngineThread::Parts parts;
  parts.clock = &clock_;
  parts.store = store_.get();
  parts.logs = &logs_;
  parts.logger = logger_;
  parts.listeners = {errors_.get()};
  if (job_log_ != nullptr) parts.listeners.push_back(job_log_.get());
  parts.failed = events_.failed;
  engine::EngineOptions options = EngineOptionsOf(config_);
  options.seed = base::RandomSeed();
  options.epoch = recovery_->epoch;
  options.durable = store_->durable();
  const std::vector<std::string> own = handlers_->Names();
  options.own_handlers = std::make_shared<const std::set<std::string>>(own.begin(), own.end());
  const std::chrono::nanoseconds worker_lease = options.worker_lease;
  engine_ = std::make_unique<engine::EngineThread>(std::move(options), std::move(parts));
  worker_sessions_ = std::make_unique<rpc::WorkerSessions>(rpc::WorkerSessions::Parts{
      .engine = {.tell = [this](engine::Input input) { engine_->Tell(std::move(input)); },
                 .sink = engine_.get()},
      .clock = &clock_,
      .lease = worker_lease,
      .own_handlers = own});
}

absl::Status Server::StartPool() {
  const workers::WorkerPool::Environment environment{.handlers = handlers_.get(),
                                                     .commands = commands_.get(),
                                                     .clock = &clock_,
                                                     .logger = logger_,
                                                     .held_fd = commands_lock_.fd(),
                                                     .http = http_.get()};
  ASSIGN_OR_RETURN(pool_, workers::WorkerPool::Create(PoolBoundsOf(config_.workers()), environment,
                                                      engine_.get()));
  RaiseDescriptorLimit(config_.workers().max(), logger_);
  engine_->Start(pool_.get(), worker_sessions_.get(), std::move(recovery_->unfinished));
  recovery_.reset();
  return absl::OkStatus();
}

absl::Status Server::StartGrpc() {
  ASSIGN_OR_RETURN(const base::ListenAddress address, base::ParseListenAddress(config_.listen()));
  RETURN_IF_ERROR(CheckSocketFree(address));
  rpc::ServerParts parts;
  parts.engine = engine_.get();
  parts.logs = &logs_;
  parts.store = store_.get();
  parts.catalog = catalog_.get();
  parts.executor = pool_.get();
  parts.clock = &clock_;
  parts.errors = errors_.get();
  parts.workers = worker_sessions_.get();
  parts.validation.jobs_per_batch_max = config_.limits().jobs_per_batch_max();
  parts.validation.batch_bytes_max = config_.limits().batch_bytes_max();
  parts.uploads_max = config_.limits().uploads_max();
  parts.info = ServerInfoOf(config_);
  parts.drain = events_.drain_asked;
  if (backups_ != nullptr && !config_.backup().directory().empty()) {
    parts.back_up = [this](rpc::ServerParts::BackupDone done) { BackUp(std::move(done)); };
  }
  rpc::GrpcServerOptions options;
  options.listen = config_.listen();
  options.request_bytes_max = config_.limits().request_bytes_max();
  grpc_ = std::make_unique<rpc::GrpcServer>(std::move(options), std::move(parts));
  ASSIGN_OR_RETURN(address_, grpc_->Start());
  return absl::OkStatus();
}

void Server::BackUp(std::function<void(absl::StatusOr<v1::BackUpResponse>)> done) {
  backups_->BackUp(config_.backup().directory(), config_.backup().keep(),
                   [done = std::move(done)](const absl::StatusOr<storage::Backup>& made) {
                     if (!made.ok()) return done(made.status());
                     v1::BackUpResponse response;
                     response.set_number(made->number);
                     response.set_directory(made->directory);
                     *response.mutable_create_time() = engine::ToTimestamp(made->time);
                     response.set_size_bytes(made->size_bytes);
                     done(std::move(response));
                   });
}

absl::Status Server::StartWeb() {
  if (config_.web().listen().empty()) return absl::OkStatus();
  web::HttpOptions options;
  ASSIGN_OR_RETURN(options.address, base::ParseListenAddress(config_.web().listen()));
  options.pages["/healthz"] = [this] { return Health(); };
  options.pages["/metrics"] = [this] { return Metrics(); };
  ASSIGN_OR_RETURN(web_, web::HttpServer::Start(std::move(options)));
  base::LogInfo(*logger_, "http on %s", web_->address());
  return absl::OkStatus();
}

// Nothing asks who a client is.
void Server::WarnOfStrangers() const {
  for (const std::string& listen : {config_.listen(), config_.web().listen()}) {
    const auto address = base::ParseListenAddress(listen);
    if (!address.ok() || address->is_local()) continue;
    base::LogWarning(*logger_,
                     "%s can be reached from other machines: whoever reaches it is served", listen);
  }
}

web::HttpAnswer Server::Health() const {
  if (draining_) return {.status = 503, .body = "draining\n"};
  return {.body = "serving\n"};
}

web::HttpAnswer Server::Metrics() const {
  auto statistics = web::AskForStatistics(engine_.get(), kStatisticsTimeout);
  if (!statistics.ok()) {
    return {.status = 503, .body = absl::StrCat(statistics.status().message(), "\n")};
  }
  web::MetricsSnapshot snapshot;
  snapshot.version = base::kVersion;
  snapshot.start_time = start_time_;
  snapshot.engine = *std::move(statistics);
  snapshot.pool = pool_->Statistics();
  const rpc::StreamStatistics streams = grpc_->streams();
  snapshot.streams = {.events = streams.events,
                      .errors = streams.errors,
                      .uploads = streams.uploads,
                      .workers = streams.workers,
                      .lag_events = streams.lag_events,
                      .lag_events_max = streams.lag_events_max,
                      .events_sent = streams.events_sent};
  snapshot.log_lines_dropped = logger_->dropped();
  snapshot.job_log_lines_dropped = job_log_lines_dropped();
  return {.content_type = web::kMetricsContentType, .body = web::RenderMetrics(snapshot)};
}

void Server::Drain(std::chrono::nanoseconds grace, std::function<void()> drained) {
  draining_ = true;
  grpc_->Drain();
  engine_->Tell(engine::Drain{grace, std::move(drained)});
}

void Server::Reconfigure(const config::v1::Config& config) {
  logger_->SetLevel(*ParseLogLevel(config.log().level()));
  engine_->Tell(engine::ResizePool{PoolBoundsOf(config.workers()), [] {}});
  engine_->Tell(engine::ReconfigureQueues{QueuesOf(config)});
}

// What comes in ends first, then what decides, then what runs.
void Server::Stop(std::chrono::nanoseconds grace) {
  if (grpc_ != nullptr) grpc_->Stop(grace);
  if (web_ != nullptr) web_->Stop();
  if (pool_ != nullptr) {
    const auto statistics = web::AskForStatistics(engine_.get(), kLastStatisticsTimeout);
    has_lost_handlers_ |= statistics.ok() && statistics->slots_lost > 0;
  }
  if (engine_ != nullptr) engine_->Stop();
  pool_.reset();
  // The last to end: what was handed to it is stored when it has.
  store_.reset();
  if (job_log_ != nullptr) job_log_->Close();
}

int32_t Server::running() const { return pool_->Statistics().busy; }

uint64_t Server::job_log_lines_dropped() const {
  return job_log_ == nullptr ? 0 : job_log_->dropped();
}

}  // namespace jobrunner::server
