#include "rpc/served.h"

#include <gtest/gtest.h>

#include <set>
#include <stop_token>
#include <utility>

#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "engine/proto_time.h"
#include "storage/open_store.h"

namespace jobrunner::rpc {

void Gate::Open() {
  absl::MutexLock lock(&mutex_);
  open_ = true;
}

void Gate::AwaitHeld(int count) {
  absl::MutexLock lock(&mutex_);
  const auto held = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return held_ >= count; };
  mutex_.Await(absl::Condition(&held));
}

bool Gate::Pass(std::stop_token stop) {
  // Taking the mutex is what has the condition looked at again.
  std::stop_callback wake(stop, [this] { absl::MutexLock lock(&mutex_); });
  absl::MutexLock lock(&mutex_);
  ++held_;
  const auto done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return open_ || stop.stop_requested();
  };
  mutex_.Await(absl::Condition(&done));
  return !stop.stop_requested();
}

workers::HandlerRegistry Served::MakeHandlers(Gate* gate) {
  workers::HandlerRegistry handlers;
  const absl::Status status =
      handlers.Register("hold", [gate](workers::HandlerContext& context) -> workers::HandlerResult {
        if (gate->Pass(context.stop_token())) return "passed";
        return workers::HandlerError{.message = "stopped"};
      });
  JOBRUNNER_CHECK(status.ok());
  return handlers;
}

workers::CommandCatalog Served::MakeCommands(bool allow_any) {
  config::v1::Commands config;
  config.set_allow_any(allow_any);
  auto commands = workers::CommandCatalog::Load(config);
  JOBRUNNER_CHECK(commands.ok());
  return *std::move(commands);
}

void Served::OpenStore(const ServedOptions& options) {
  auto opened = storage::OpenStore(
      options.store,
      {.disk_reserve_bytes = options.disk_reserve_bytes,
       .failed = [this, may = options.store_may_fail](const absl::Status&) { StoreFailed(may); }});
  JOBRUNNER_CHECK(opened.ok());
  store_ = std::move(opened->store);
  if (options.front) store_ = options.front(std::move(store_));
}

void Served::StartEngine(const ServedOptions& options) {
  auto recovery = store_->Recover();
  JOBRUNNER_CHECK(recovery.ok());
  engine::EngineOptions engine;
  engine.pool = {.min = 0, .max = options.workers_max};
  engine.queues = options.queues;
  engine.epoch = recovery->epoch;
  engine.durable = store_->durable();
  engine.worker_lease = options.worker_lease;
  const std::vector<std::string> own = handlers_.Names();
  engine.own_handlers = std::make_shared<const std::set<std::string>>(own.begin(), own.end());
  engine_ = std::make_unique<engine::EngineThread>(
      std::move(engine),
      engine::EngineThread::Parts{
          .clock = &clock_,
          .store = store_.get(),
          .logs = &logs_,
          .logger = &logger_,
          .listeners = {&errors_},
          .failed = [this, may = options.store_may_fail](absl::Status) { StoreFailed(may); }});
  auto pool = workers::WorkerPool::Create(
      {.min = 0, .max = options.workers_max},
      {.handlers = &handlers_, .commands = &commands_, .clock = &clock_, .logger = &logger_},
      engine_.get());
  JOBRUNNER_CHECK(pool.ok());
  pool_ = *std::move(pool);
  workers_ = std::make_unique<WorkerSessions>(WorkerSessions::Parts{
      .engine = {.tell = [this](engine::Input input) { engine_->Tell(std::move(input)); },
                 .sink = engine_.get()},
      .clock = &clock_,
      .lease = options.worker_lease,
      .own_handlers = own});
  engine_->Start(pool_.get(), workers_.get(), std::move(recovery->unfinished));
}

void Served::StoreFailed(bool may_fail) {
  JOBRUNNER_CHECK(may_fail);
  absl::MutexLock lock(&mutex_);
  store_failed_ = true;
}

void Served::AwaitStoreFailed() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&store_failed_));
}

ServerParts Served::MakeParts(const ServedOptions& options) {
  ServerParts parts;
  parts.engine = engine_.get();
  parts.logs = &logs_;
  parts.store = store_.get();
  parts.catalog = &catalog_;
  parts.executor = pool_.get();
  parts.clock = &clock_;
  parts.errors = &errors_;
  parts.workers = workers_.get();
  parts.validation.jobs_per_batch_max = options.jobs_per_batch_max;
  parts.validation.batch_bytes_max = options.batch_bytes_max;
  parts.uploads_max = options.uploads_max;
  parts.upload_idle_max = options.upload_idle_max;
  parts.info.version = "1.2.3";
  parts.info.store = options.store.substr(0, options.store.find(':'));
  parts.info.limits.set_jobs_per_batch_max(options.jobs_per_batch_max);
  *parts.info.limits.mutable_shutdown_grace() = engine::ToDuration(std::chrono::seconds(5));
  parts.drain = [this](std::chrono::nanoseconds grace) {
    absl::MutexLock lock(&mutex_);
    drain_calls_.push_back(grace);
  };
  parts.back_up = options.back_up;
  return parts;
}

Served::Served(ServedOptions options)
    : clock_(options.wall_ahead),
      handlers_(MakeHandlers(&gate_)),
      commands_(MakeCommands(options.allow_any_command)),
      catalog_(&handlers_, &commands_, workers::LocalCatalog::RemoteHandlers::kAny) {
  OpenStore(options);
  StartEngine(options);
  server_ =
      std::make_unique<GrpcServer>(GrpcServerOptions{.listen = options.listen,
                                                     .request_bytes_max = options.request_bytes_max,
                                                     .keepalive = options.keepalive},
                                   MakeParts(options));
  const auto address = server_->Start();
  JOBRUNNER_CHECK(address.ok());
  address_ = *address;
  jobs_ = v1::JobService::NewStub(Connect());
  admin_ = v1::AdminService::NewStub(Connect());
}

Served::~Served() {
  gate_.Open();
  server_->Stop(std::chrono::seconds(0));
  if (StoreWorks()) Drain(std::chrono::seconds(0));
  engine_->Stop();
  pool_.reset();
  // It answers what it was asked before it ends.
  store_.reset();
}

bool Served::StoreWorks() {
  absl::MutexLock lock(&mutex_);
  return !store_failed_;
}

std::shared_ptr<grpc::Channel> Served::Connect() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
}

void Served::Drain(std::chrono::nanoseconds grace) {
  absl::Notification drained;
  engine_->Tell(engine::Drain{grace, [&] { drained.Notify(); }});
  drained.WaitForNotification();
}

std::chrono::nanoseconds Served::AwaitDrainCall() {
  absl::MutexLock lock(&mutex_);
  const auto called = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !drain_calls_.empty(); };
  mutex_.Await(absl::Condition(&called));
  return drain_calls_.front();
}

v1::Job HandlerJob(const std::string& handler, const std::string& payload) {
  v1::Job job;
  job.mutable_handler()->set_name(handler);
  job.mutable_handler()->set_payload(payload);
  return job;
}

v1::BatchSpec BatchOf(int count, const v1::Job& job) {
  v1::BatchSpec spec;
  for (int i = 0; i < count; ++i) *spec.add_jobs() = job;
  return spec;
}

v1::Batch Submit(Served& served, const v1::BatchSpec& spec) {
  grpc::ClientContext context;
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = spec;
  v1::SubmitBatchResponse response;
  const grpc::Status status = served.jobs().SubmitBatch(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.batch();
}

std::vector<v1::Event> Results(Served& served, const std::string& batch_id,
                               int64_t after_sequence) {
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(batch_id);
  request.set_after_sequence(after_sequence);
  request.set_follow(true);
  const auto reader = served.jobs().StreamResults(&context, request);
  auto events = ReadAll(*reader, v1::StreamResultsResponse());
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return events;
}

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

std::string ReasonIn(const grpc::Status& status) {
  const auto infos = DetailsOfKind<google::rpc::ErrorInfo>(status);
  if (infos.size() != 1 || infos[0].domain() != "jobrunner") return "";
  return infos[0].reason();
}

std::vector<std::string> FieldsIn(const grpc::Status& status) {
  std::vector<std::string> fields;
  for (const auto& request : DetailsOfKind<google::rpc::BadRequest>(status)) {
    for (const auto& violation : request.field_violations()) fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace jobrunner::rpc
