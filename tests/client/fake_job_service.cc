#include "client/fake_job_service.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::client {

FakeJobService::FakeJobService(Runner runner) : runner_(std::move(runner)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeJobService::~FakeJobService() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
}

std::string FakeJobService::address() const { return absl::StrCat("127.0.0.1:", port_); }

void FakeJobService::BreakNextStreams(std::vector<Break> breaks) {
  absl::MutexLock lock(&mutex_);
  breaks_ = std::move(breaks);
}

void FakeJobService::RefuseNextSubmits(std::vector<Refusal> refusals) {
  absl::MutexLock lock(&mutex_);
  refusals_ = std::move(refusals);
}

void FakeJobService::RepeatOnResume(int events) {
  absl::MutexLock lock(&mutex_);
  repeat_ = events;
}

void FakeJobService::LeaveOut(int64_t sequence) {
  absl::MutexLock lock(&mutex_);
  left_out_ = sequence;
}

std::vector<v1::SubmitBatchRequest> FakeJobService::submits() const {
  absl::MutexLock lock(&mutex_);
  return submits_;
}

size_t FakeJobService::upload_message_bytes_max() const {
  absl::MutexLock lock(&mutex_);
  return upload_message_bytes_max_;
}

int FakeJobService::upload_messages() const {
  absl::MutexLock lock(&mutex_);
  return upload_messages_;
}

std::vector<v1::StreamResultsRequest> FakeJobService::streams() const {
  absl::MutexLock lock(&mutex_);
  return streams_;
}

std::vector<v1::CancelRequest> FakeJobService::cancels() const {
  absl::MutexLock lock(&mutex_);
  return cancels_;
}

size_t FakeJobService::breaks_left() const {
  absl::MutexLock lock(&mutex_);
  return breaks_.size();
}

void FakeJobService::EndJob(const std::string& batch_id, int index, v1::JobResult result) {
  absl::MutexLock lock(&mutex_);
  End(Find(batch_id), index, std::move(result));
}

std::string FakeJobService::AwaitBatch(size_t n) {
  const auto is_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return logs_.size() > n; };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_there));
  return logs_[n]->id;
}

void FakeJobService::AwaitCancel() {
  const auto is_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !cancels_.empty(); };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_there));
}

grpc::Status FakeJobService::SubmitBatch(grpc::ServerContext*,
                                         const v1::SubmitBatchRequest* request,
                                         v1::SubmitBatchResponse* response) {
  absl::MutexLock lock(&mutex_);
  return Answer(*request, response->mutable_batch());
}

grpc::Status FakeJobService::UploadBatch(grpc::ServerContext*,
                                         grpc::ServerReader<v1::UploadBatchRequest>* reader,
                                         v1::UploadBatchResponse* response) {
  v1::SubmitBatchRequest request;
  v1::UploadBatchRequest message;
  while (reader->Read(&message) && !message.has_end()) {
    absl::MutexLock lock(&mutex_);
    ++upload_messages_;
    upload_message_bytes_max_ = std::max(upload_message_bytes_max_, message.ByteSizeLong());
    if (message.has_header()) request = message.header();
    request.mutable_batch()->mutable_jobs()->MergeFrom(message.jobs().jobs());
  }
  const bool whole = message.has_end() && message.end().jobs_sent() == request.batch().jobs_size();
  if (!whole) return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "it is not whole");
  absl::MutexLock lock(&mutex_);
  return Answer(request, response->mutable_batch());
}

grpc::Status FakeJobService::Answer(const v1::SubmitBatchRequest& request, v1::Batch* batch) {
  submits_.push_back(request);
  if (!refusals_.empty()) {
    const Refusal refusal = refusals_.front();
    refusals_.erase(refusals_.begin());
    if (refusal.accepted) Accept(request);
    return refusal.status;
  }
  batch->set_id(Accept(request)->id);
  return grpc::Status::OK;
}

grpc::Status FakeJobService::StreamResults(grpc::ServerContext* context,
                                           const v1::StreamResultsRequest* request,
                                           grpc::ServerWriter<v1::StreamResultsResponse>* writer) {
  std::optional<Break> broken;
  Log* log = nullptr;
  int64_t sequence = request->after_sequence();
  int64_t left_out = 0;
  {
    absl::MutexLock lock(&mutex_);
    streams_.push_back(*request);
    log = Find(request->batch_id());
    if (log == nullptr) return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such batch");
    if (!breaks_.empty()) {
      broken = breaks_.front();
      breaks_.erase(breaks_.begin());
    }
    if (sequence > 0) sequence = std::max<int64_t>(0, sequence - repeat_);
    left_out = left_out_;
  }
  for (int sent = 0;; ++sent) {
    if (broken && sent == broken->after_events) return broken->status;
    const auto event = Await(log, sequence++, context);
    if (!event) return grpc::Status::OK;
    if (event->sequence() == left_out) continue;
    v1::StreamResultsResponse response;
    *response.add_events() = *event;
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
    if (event->has_batch_finished()) return grpc::Status::OK;
  }
}

grpc::Status FakeJobService::Cancel(grpc::ServerContext*, const v1::CancelRequest* request,
                                    v1::CancelResponse* response) {
  absl::MutexLock lock(&mutex_);
  cancels_.push_back(*request);
  Log* log = Find(request->batch_id());
  if (log == nullptr) return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such batch");
  log->cancelled = true;
  for (size_t i = 0; i < log->ended.size(); ++i) {
    if (log->ended[i]) continue;
    v1::JobResult result;
    result.set_state(v1::JOB_STATE_CANCELLED);
    result.mutable_error()->set_reason(v1::REASON_CLIENT_CANCEL);
    End(log, static_cast<int>(i), std::move(result));
  }
  response->mutable_batch()->set_id(log->id);
  return grpc::Status::OK;
}

FakeJobService::Log* FakeJobService::Find(const std::string& batch_id) {
  for (const auto& log : logs_) {
    if (log->id == batch_id) return log.get();
  }
  return nullptr;
}

FakeJobService::Log* FakeJobService::Accept(const v1::SubmitBatchRequest& request) {
  for (const auto& log : logs_) {
    if (log->request_id == request.request_id()) return log.get();
  }
  logs_.push_back(std::make_unique<Log>());
  Log* log = logs_.back().get();
  log->id = absl::StrCat("batch-", logs_.size());
  log->request_id = request.request_id();
  log->ended.resize(request.batch().jobs_size());
  for (int i = 0; i < request.batch().jobs_size(); ++i) {
    if (auto result = runner_(request.batch().jobs(i))) End(log, i, std::move(*result));
  }
  return log;
}

void FakeJobService::Add(Log* log, v1::Event event) {
  event.set_sequence(static_cast<int64_t>(log->events.size()) + 1);
  log->events.push_back(std::move(event));
}

void FakeJobService::End(Log* log, int index, v1::JobResult result) {
  v1::Event event;
  event.set_job_index(index);
  *event.mutable_result() = std::move(result);
  Add(log, std::move(event));
  log->ended[index] = true;
  if (std::find(log->ended.begin(), log->ended.end(), false) != log->ended.end()) return;
  v1::Event finished;
  finished.mutable_batch_finished()->set_state(log->cancelled ? v1::BATCH_STATE_CANCELLED
                                                              : v1::BATCH_STATE_SUCCEEDED);
  Add(log, std::move(finished));
}

std::optional<v1::Event> FakeJobService::Await(Log* log, int64_t sequence,
                                               grpc::ServerContext* context) {
  const auto size = static_cast<size_t>(sequence);
  const auto is_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return log->events.size() > size || stopping_;
  };
  absl::MutexLock lock(&mutex_);
  while (!context->IsCancelled() &&
         !mutex_.AwaitWithTimeout(absl::Condition(&is_there), absl::Milliseconds(50))) {
  }
  if (log->events.size() <= size) return std::nullopt;
  return log->events[size];
}

v1::JobResult Succeeded(const std::string& output) {
  v1::JobResult result;
  result.set_state(v1::JOB_STATE_SUCCEEDED);
  result.set_attempts(1);
  result.set_output(output);
  return result;
}

v1::JobResult FailedWith(int exit_code) {
  v1::JobResult result;
  result.set_state(v1::JOB_STATE_FAILED);
  result.set_attempts(1);
  result.set_exit_code(exit_code);
  result.mutable_error()->set_reason(v1::REASON_EXIT_CODE);
  return result;
}

}  // namespace jobrunner::client
