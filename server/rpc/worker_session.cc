#include "rpc/worker_session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "google/rpc/code.pb.h"
#include "rpc/status.h"
#include "rpc/worker_rules.h"

namespace jobrunner::rpc {
namespace {

using v1::WorkRequest;

// As the message's field is called.
std::string_view KindOf(const WorkRequest& message) {
  const auto* field = WorkRequest::descriptor()->FindFieldByNumber(message.kind_case());
  return field == nullptr ? "kind" : std::string_view(field->name());
}

// What one handler says wrong is no reason to end the stream, on which other attempts depend.
double FractionOf(const v1::AttemptProgress& said) {
  // Also what is not a number.
  if (!(said.fraction() > 0)) return 0;
  return std::min(said.fraction(), 1.0);
}

// The others are the engine's to give.
v1::Reason ReasonOf(const v1::AttemptFailure& said) {
  const v1::Reason reason = said.reason();
  const bool is_own = reason == v1::REASON_EXIT_CODE || reason == v1::REASON_SIGNAL ||
                      reason == v1::REASON_SPAWN_FAILED;
  return is_own ? reason : v1::REASON_HANDLER;
}

std::unique_ptr<engine::Failure> FailureOf(v1::AttemptFailure& said) {
  auto failure = std::make_unique<engine::Failure>();
  const bool is_code = said.code() > google::rpc::OK && said.code() <= google::rpc::UNAUTHENTICATED;
  failure->code = is_code ? said.code() : google::rpc::UNKNOWN;
  failure->message = std::move(*said.mutable_message());
  failure->final = said.final();
  failure->critical = said.critical();
  failure->reason = ReasonOf(said);
  return failure;
}

std::unique_ptr<engine::CommandOutcome> CommandOf(v1::CommandEnd& said) {
  auto command = std::make_unique<engine::CommandOutcome>();
  command->error_output = std::move(*said.mutable_error_output());
  command->exit_code = said.exit_code();
  command->signal = said.signal();
  command->output_bytes = said.output_bytes();
  command->error_output_bytes = said.error_output_bytes();
  command->output_omitted = said.output_omitted();
  command->error_output_omitted = said.error_output_omitted();
  command->user_time = engine::FromDuration(said.usage().user_time());
  command->system_time = engine::FromDuration(said.usage().system_time());
  command->max_resident_bytes = said.usage().max_resident_bytes();
  return command;
}

engine::Outcome OutcomeOf(v1::AttemptOutcome& said, const AssignmentTable::Entry& entry,
                          engine::WorkerId worker, base::SteadyTime now) {
  engine::Outcome outcome;
  outcome.token = entry.token;
  outcome.at = worker;
  outcome.run_time =
      said.has_run_time() ? engine::FromDuration(said.run_time()) : now - entry.since;
  outcome.output = std::move(*said.mutable_output());
  if (said.has_failure()) outcome.failure = FailureOf(*said.mutable_failure());
  if (said.has_command()) outcome.command = CommandOf(*said.mutable_command());
  return outcome;
}

}  // namespace

WorkerSession::WorkerSession(WorkerSessions* sessions, std::function<void()> wake)
    : sessions_(*sessions),
      wake_(std::move(wake)),
      writer_({.table = &table_, .clock = &sessions->clock(), .lease = sessions->lease()}) {}

absl::Status WorkerSession::Receive(WorkRequest message) {
  bool wake = false;
  {
    absl::MutexLock lock(&mutex_);
    RETURN_IF_ERROR(Take(message));
    if (writer_.unknown() > kUnknownMax) {
      return engine::Refuse(absl::StatusCode::kResourceExhausted, "DOES_NOT_READ",
                            "the worker sends and does not read");
    }
    wake = writer_.unknown() > 0 && queue_.Wake();
  }
  if (wake) wake_();
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(WorkRequest& message) {
  const bool is_hello = message.kind_case() == WorkRequest::kHello;
  const bool is_first = identity_.worker == engine::kOwnPool;
  if (message.kind_case() == WorkRequest::KIND_NOT_SET) {
    return InvalidField("kind", "is not set, or to nothing known here");
  }
  if (is_first && !is_hello) return InvalidField("hello", "must be the first message");
  if (!is_first && is_hello) return InvalidField("hello", "must be the first message alone");
  if (!is_first && !writer_.welcomed()) {
    return InvalidField(KindOf(message), "was sent before the welcome came");
  }
  switch (message.kind_case()) {
    case WorkRequest::kHello:
      return Join(message.hello());
    case WorkRequest::kSlots:
      return Take(message.slots());
    case WorkRequest::kLeaseAnswer:
      return Take(message.lease_answer());
    case WorkRequest::kOutput:
      return Take(*message.mutable_output());
    case WorkRequest::kProgress:
      return Take(*message.mutable_progress());
    case WorkRequest::kOutcomes:
      return Take(*message.mutable_outcomes());
    case WorkRequest::kLeave:
      return Take(message.leave());
    case WorkRequest::KIND_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

absl::Status WorkerSession::Join(const v1::WorkerHello& hello) {
  IdsByToken brought;
  ASSIGN_OR_RETURN(identity_, sessions_.Join(hello, weak_from_this(), &brought));
  // The welcome may wait by now, but it is not looked at before this returns.
  writer_.Expect(identity_.session_id, std::move(brought));
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(const v1::WorkerSlots& slots) {
  RETURN_IF_ERROR(CheckSlots(slots));
  sessions_.engine().tell(engine::WorkerResize{identity_.worker, slots.slots()});
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(const v1::LeaseAnswer& answer) {
  RETURN_IF_ERROR(CheckLeaseAnswer(answer));
  if (answer.number() <= 0 || answer.number() > writer_.last_check()) {
    return InvalidField("lease_answer.number",
                        absl::StrCat("is ", answer.number(), ", of no LeaseCheck that was sent"));
  }
  engine::WorkerAnswer told{identity_.worker, answer.number(), {}};
  for (const std::string& id : answer.assignment_ids()) {
    if (AssignmentTable::Entry* const entry = table_.Named(id)) {
      entry->answered = std::max(entry->answered, answer.number());
      told.held.push_back(entry->token);
    } else {
      writer_.StopUnknown(id);
    }
  }
  table_.RemoveUnanswered(answer.number());
  sessions_.engine().tell(std::move(told));
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(const v1::WorkerLeave& leave) {
  RETURN_IF_ERROR(CheckLeave(leave));
  engine::WorkerLeaving told{identity_.worker, std::nullopt};
  if (leave.has_held()) {
    told.held.emplace();
    for (const std::string& id : leave.held().assignment_ids()) {
      if (const auto* entry = table_.Named(id)) told.held->push_back(entry->token);
    }
  }
  sessions_.engine().tell(std::move(told));
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(v1::AttemptOutput& output) {
  const AssignmentTable::Entry* const entry = table_.Named(output.assignment_id());
  // One that has ended, or whose job does not ask for it.
  if (entry == nullptr || entry->reported || !entry->stream_output) return absl::OkStatus();
  sessions_.engine().sink->Wrote({.token = entry->token,
                                  .output = std::move(*output.mutable_output()),
                                  .error_output = std::move(*output.mutable_error_output())});
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(v1::AttemptProgress& progress) {
  const AssignmentTable::Entry* const entry = table_.Named(progress.assignment_id());
  if (entry == nullptr || entry->reported) return absl::OkStatus();
  sessions_.engine().sink->Progressed({.token = entry->token,
                                       .fraction = FractionOf(progress),
                                       .message = std::move(*progress.mutable_message())});
  return absl::OkStatus();
}

absl::Status WorkerSession::Take(v1::AttemptOutcomes& outcomes) {
  RETURN_IF_ERROR(CheckOutcomes(outcomes));
  const base::SteadyTime now = sessions_.clock().Read().steady;
  std::vector<engine::Outcome> told;
  told.reserve(outcomes.outcomes_size());
  for (v1::AttemptOutcome& said : *outcomes.mutable_outcomes()) {
    AssignmentTable::Entry* const entry = table_.Named(said.assignment_id());
    if (entry == nullptr) {
      writer_.RefuseUnknown(std::move(*said.mutable_assignment_id()));
    } else if (!std::exchange(entry->reported, true)) {
      told.push_back(OutcomeOf(said, *entry, identity_.worker, now));
    }
  }
  if (!told.empty()) sessions_.engine().sink->Finished(std::move(told));
  return absl::OkStatus();
}

WorkerSession::Next WorkerSession::NextMessage() {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    const engine::WorkerEnd* const end = writer_.end();
    if (end != nullptr && !end->status.ok()) return End{end->status};
    if (auto message = writer_.Next()) return *std::move(message);
    if (end != nullptr) return End{end->status};
    auto orders = queue_.Take();
    const bool is_idle = !orders;
    // Without orders: what those before have left in memory goes.
    writer_.Take(orders ? *std::move(orders) : engine::RemoteOrders());
    if (is_idle) return Idle{};
  }
}

void WorkerSession::Close() {
  absl::MutexLock lock(&mutex_);
  if (identity_.worker == engine::kOwnPool) return;
  if (!ended_by_engine_) sessions_.engine().tell(engine::WorkerGone{identity_.worker});
  sessions_.Leave(identity_);
}

void WorkerSession::Order(engine::RemoteOrders orders) {
  if (!orders.ends.empty()) ended_by_engine_ = true;
  if (queue_.Put(std::move(orders))) wake_();
}

void WorkerSession::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    writer_.Drain();
  }
  if (queue_.Wake()) wake_();
}

void WorkerSession::AfterWhatWasTold(std::function<void()> then) {
  sessions_.engine().tell(engine::Query{[then = std::move(then)](const engine::Engine&) {
    then();
    return [] {};
  }});
}

}  // namespace jobrunner::rpc
