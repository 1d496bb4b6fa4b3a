#include "worker/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "worker/attempt_messages.h"
#include "workers/command_failure.h"

namespace jobrunner::worker {

using base::LogInfo;
using base::LogWarning;
using base::SteadyTime;
using engine::AttemptToken;
using std::chrono::nanoseconds;

namespace {

constexpr char kSdk[] = "c++ 1.0";
constexpr std::chrono::milliseconds kBackoffMin{50};
constexpr std::chrono::seconds kBackoffMax{1};

// With these, trying again is of no use.
bool IsFatal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsUnimplemented(status) ||
         absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(workers::HandlerRegistry handlers,
                                                       WorkerOptions options) {
  std::unique_ptr<Worker> worker(new Worker(std::move(handlers), std::move(options)));
  const workers::WorkerPool::Environment environment{.handlers = &worker->handlers_,
                                                     .commands = &worker->options_.commands,
                                                     .clock = &worker->clock_,
                                                     .logger = &worker->logger_};
  ASSIGN_OR_RETURN(worker->pool_,
                   workers::WorkerPool::Create({.min = 0, .max = worker->options_.slots},
                                               environment, worker.get()));
  return worker;
}

Worker::Worker(workers::HandlerRegistry handlers, WorkerOptions options)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      catalog_(&handlers_, &options_.commands),
      logger_(options_.logger == nullptr ? null_logger_ : *options_.logger),
      prng_(base::RandomSeed()) {}

Worker::~Worker() = default;

absl::Status Worker::Run() {
  base::ThreadRoleScope playing(&loop_);
  std::vector<WorkInput> inputs;
  Connect();
  while (!end_) {
    inbox_->TakeUntil(deadline_, &inputs);
    now_ = clock_.Read();
    for (WorkInput& input : inputs) {
      std::visit(
          [&](auto& one) {
            loop_.AssertHeld();
            Handle(one);
          },
          input);
    }
    if (!starts_.empty()) pool_->Start(std::exchange(starts_, {}));
    if (now_.steady >= deadline_) DeadlinePassed();
    WriteNext();
    if (leaving_ && held_.empty() && stream_ == nullptr && !end_) end_ = absl::OkStatus();
  }
  return *end_;
}

void Worker::Connect() {
  now_ = clock_.Read();
  welcomed_ = false;
  released_ = false;
  leave_said_ = false;
  check_.reset();
  // hello, which it is made with.
  writing_ = true;
  stream_ = std::make_unique<WorkStream>(options_.address, Hello(), inbox_);
  deadline_ = now_.steady + lease_ * 2 / 3;
}

void Worker::DeadlinePassed() {
  if (stream_ == nullptr) return Connect();
  // The server speaks each third of a lease: after two in silence there is time to come back.
  LogWarning(logger_, "the stream is silent");
  stream_->Cancel();
  deadline_ = SteadyTime::max();
}

void Worker::Handle(StreamReadOut&) {
  released_ = true;
  stream_->Release();
  deadline_ = SteadyTime::max();
}

void Worker::Handle(StreamEnded& ended) {
  stream_.reset();
  if (leaving_ && held_.empty()) return;
  LogWarning(logger_, "the stream has ended: %s, %d held", ended.status.ToString(), held_.size());
  if (IsFatal(ended.status)) end_ = ended.status;
  // The session is over.
  if (absl::IsAborted(ended.status)) {
    session_id_.clear();
    Keep({});
  }
  ComeBackLater();
}

void Worker::ComeBackLater() {
  const nanoseconds most = std::min<nanoseconds>(kBackoffMax, lease_ / 5);
  backoff_ = welcomed_ ? kBackoffMin : std::min(kBackoffMin + 2 * backoff_, most);
  const double share = 0.5 + prng_.Uniform() / 2;
  deadline_ = now_.steady + std::chrono::duration_cast<nanoseconds>(share * backoff_);
}

void Worker::Handle(v1::WorkResponse& message) {
  if (deadline_ != SteadyTime::max()) deadline_ = now_.steady + lease_ * 2 / 3;
  switch (message.kind_case()) {
    case v1::WorkResponse::kWelcome:
      return Welcome(message.welcome());
    case v1::WorkResponse::kAssignments:
      return Assign(*message.mutable_assignments());
    case v1::WorkResponse::kStop:
      return Stop(held_.Find(message.stop().assignment_ids()),
                  engine::FromDuration(message.stop().grace_period()));
    case v1::WorkResponse::kLeaseCheck:
      return Check(message.lease_check());
    case v1::WorkResponse::kAcknowledged:
      return Acknowledge(message.acknowledged());
    case v1::WorkResponse::kDrain:
      return LogInfo(logger_, "the server drains");
    case v1::WorkResponse::KIND_NOT_SET:
      // Of a later server, which gets on without an answer.
      return;
  }
}

void Worker::Welcome(const v1::WorkerWelcome& welcome) {
  session_id_ = welcome.session_id();
  lease_ = engine::FromDuration(welcome.lease());
  deadline_ = now_.steady + lease_ * 2 / 3;
  welcomed_ = true;
  Keep(welcome.assignment_ids());
  held_.SayOutcomesAgain();
}

void Worker::Assign(v1::Assignments& assignments) {
  // They crossed: the server puts back what it did not name.
  if (leave_said_) return;
  for (v1::Assignment& assignment : *assignments.mutable_assignments()) {
    const auto token = held_.Add(assignment);
    if (!token) continue;
    engine::Assignment start = TakeAssignment(*token, assignment, now_);
    const absl::Status allowed = catalog_.Check(start.job());
    if (allowed.ok()) {
      starts_.push_back(std::move(start));
    } else {
      Refuse(*token, allowed);
    }
  }
}

void Worker::Refuse(const AttemptToken& token, const absl::Status& why) {
  engine::Outcome outcome;
  outcome.token = token;
  outcome.failure = std::make_unique<engine::Failure>(workers::NotAllowed(
      absl::StrCat("the worker \"", options_.name, "\" does not run it: ", why.message())));
  held_.Take(std::move(outcome));
}

void Worker::Check(const v1::LeaseCheck& check) {
  check_ = check.number();
  // They run elsewhere by now. Their outcomes are brought, to be refused.
  Stop(held_.FindOthers(check.assignment_ids()), engine::kGraceDefault);
}

void Worker::Acknowledge(const v1::AcknowledgedOutcomes& acknowledged) {
  for (const std::string& id : acknowledged.refused_ids()) {
    LogWarning(logger_, "%s: its outcome was refused", id);
  }
  for (const std::string& id : acknowledged.assignment_ids()) held_.Acknowledge(id);
}

void Worker::Keep(const HeldAttempts::Ids& ids) {
  const std::vector<AttemptToken> others = held_.FindOthers(ids);
  if (others.empty()) return;
  LogWarning(logger_, "%d attempts are no longer ours", others.size());
  Stop(others, engine::kGraceDefault);
  held_.Remove(others);
}

void Worker::Stop(const std::vector<AttemptToken>& tokens, nanoseconds grace) {
  // What has just been assigned must be there to be stopped.
  if (!starts_.empty()) pool_->Start(std::exchange(starts_, {}));
  std::vector<engine::StopOrder> orders;
  for (const AttemptToken& token : tokens) orders.push_back({.token = token, .grace = grace});
  if (!orders.empty()) pool_->Stop(orders);
}

void Worker::Handle(std::vector<engine::Outcome>& outcomes) {
  for (engine::Outcome& outcome : outcomes) held_.Take(std::move(outcome));
}

void Worker::Handle(engine::OutputChunk& chunk) { held_.Take(std::move(chunk)); }

void Worker::Handle(engine::ProgressReport& report) { held_.Take(std::move(report)); }

void Worker::Handle(worker::SlotReturned& returned) { held_.Return(returned.token); }

void Worker::WriteNext() {
  if (stream_ == nullptr || !welcomed_ || writing_ || released_) return;
  std::optional<v1::WorkRequest> message = NextMessage();
  if (message) {
    writing_ = true;
    stream_->Write(*std::move(message));
  } else if (leaving_ && held_.empty()) {
    writing_ = true;
    stream_->CloseSide();
  }
}

std::optional<v1::WorkRequest> Worker::NextMessage() {
  v1::WorkRequest message;
  if (check_) {
    message.mutable_lease_answer()->set_number(*std::exchange(check_, std::nullopt));
    held_.List(message.mutable_lease_answer()->mutable_assignment_ids());
    return message;
  }
  if (leaving_ && !std::exchange(leave_said_, true)) {
    held_.List(message.mutable_leave()->mutable_held()->mutable_assignment_ids());
    return message;
  }
  return held_.NextMessage();
}

v1::WorkRequest Worker::Hello() const {
  v1::WorkRequest message;
  v1::WorkerHello& hello = *message.mutable_hello();
  hello.set_name(options_.name);
  for (const std::string& handler : handlers_.RegisteredNames()) hello.add_handlers(handler);
  for (const std::string& pool : options_.pools) hello.add_pools(pool);
  hello.set_slots(options_.slots);
  for (const auto& [key, value] : options_.labels) (*hello.mutable_labels())[key] = value;
  hello.set_sdk(kSdk);
  hello.set_session_id(session_id_);
  held_.List(hello.mutable_assignment_ids());
  return message;
}

void Worker::Finished(engine::Outcome outcome) {
  std::vector<engine::Outcome> outcomes;
  outcomes.push_back(std::move(outcome));
  inbox_->Put(std::move(outcomes));
}

void Worker::SlotReturned(AttemptToken token) { inbox_->Put(worker::SlotReturned{token}); }

}  // namespace jobrunner::worker
