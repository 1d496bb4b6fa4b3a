#include "rpc/stub_worker.h"

#include <utility>

namespace jobrunner::rpc {

using v1::WorkRequest;
using v1::WorkResponse;

StubWorker::Hello ResizerHello(int32_t slots) {
  StubWorker::Hello hello;
  hello.set_name("resizer");
  hello.add_handlers("resize");
  hello.set_slots(slots);
  return hello;
}

StubWorker::StubWorker(Served& served, const Hello& hello)
    : hello_(hello),
      stub_(v1::WorkerService::NewStub(served.Connect())),
      stream_(stub_->Work(&context_)),
      held_(hello.assignment_ids().begin(), hello.assignment_ids().end()) {
  WorkRequest message;
  *message.mutable_hello() = hello;
  Send(message);
}

StubWorker::~StubWorker() {
  Break();
  if (!finished_) stream_->Finish();
}

v1::WorkerWelcome StubWorker::AwaitWelcome() {
  const auto message = Await(WorkResponse::kWelcome);
  if (!message) return {};
  hello_.set_session_id(message->welcome().session_id());
  held_ = {message->welcome().assignment_ids().begin(), message->welcome().assignment_ids().end()};
  return message->welcome();
}

v1::Assignment StubWorker::AwaitAssignment() {
  while (assigned_.empty()) {
    if (!Next()) return {};
  }
  v1::Assignment first = std::move(assigned_.front());
  assigned_.pop_front();
  return first;
}

v1::StopAttempts StubWorker::AwaitStop() {
  const auto message = Await(WorkResponse::kStop);
  return message ? message->stop() : v1::StopAttempts();
}

v1::AcknowledgedOutcomes StubWorker::AwaitAcknowledged() {
  const auto message = Await(WorkResponse::kAcknowledged);
  return message ? message->acknowledged() : v1::AcknowledgedOutcomes();
}

void StubWorker::AwaitDrain() { Await(WorkResponse::kDrain); }

grpc::Status StubWorker::AwaitEnd() {
  WorkResponse ignored;
  while (stream_->Read(&ignored)) {
  }
  finished_ = true;
  return stream_->Finish();
}

void StubWorker::Succeed(const std::string& assignment_id, const std::string& output) {
  WorkRequest message;
  v1::AttemptOutcome& outcome = *message.mutable_outcomes()->add_outcomes();
  outcome.set_assignment_id(assignment_id);
  outcome.set_output(output);
  Send(message);
}

void StubWorker::Fail(const std::string& assignment_id, const v1::AttemptFailure& failure) {
  WorkRequest message;
  v1::AttemptOutcome& outcome = *message.mutable_outcomes()->add_outcomes();
  outcome.set_assignment_id(assignment_id);
  *outcome.mutable_failure() = failure;
  Send(message);
}

void StubWorker::Leave() { Leave(held_); }

void StubWorker::Leave(const std::set<std::string>& held) {
  WorkRequest message;
  message.mutable_leave()->mutable_held()->mutable_assignment_ids()->Assign(held.begin(),
                                                                            held.end());
  Send(message);
}

StubWorker::Hello StubWorker::HelloAgain() const {
  Hello hello = hello_;
  hello.mutable_assignment_ids()->Assign(held_.begin(), held_.end());
  return hello;
}

std::optional<WorkResponse> StubWorker::Await(WorkResponse::KindCase kind) {
  auto message = Next();
  while (message && message->kind_case() != kind) message = Next();
  return message;
}

std::optional<WorkResponse> StubWorker::Next() {
  WorkResponse message;
  if (!stream_->Read(&message)) return std::nullopt;
  for (const v1::Assignment& one : message.assignments().assignments()) {
    held_.insert(one.assignment_id());
    assigned_.push_back(one);
  }
  for (const std::string& id : message.acknowledged().assignment_ids()) held_.erase(id);
  if (message.has_lease_check()) {
    WorkRequest answer;
    answer.mutable_lease_answer()->set_number(message.lease_check().number());
    answer.mutable_lease_answer()->mutable_assignment_ids()->Assign(held_.begin(), held_.end());
    Send(answer);
  }
  return message;
}

}  // namespace jobrunner::rpc
