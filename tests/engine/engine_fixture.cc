#include "engine/engine_fixture.h"

#include <iterator>

#include "absl/strings/str_format.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"

namespace jobrunner::engine {
namespace {

template <typename Message>
void MergeText(const std::string& text, Message* message) {
  Message more;
  if (!google::protobuf::TextFormat::ParseFromString(text, &more)) {
    ADD_FAILURE() << "does not parse: " << text;
  }
  message->MergeFrom(more);
}

template <typename T>
void MoveTo(std::vector<T>* to, std::vector<T>* from) {
  to->insert(to->end(), std::make_move_iterator(from->begin()),
             std::make_move_iterator(from->end()));
}

}  // namespace

EngineTest::EngineTest()
    : store_of_its_own_(std::make_unique<test::RecordingStore>()), store_(*store_of_its_own_) {
  options.pool = {0, 100};
}

EngineTest::~EngineTest() {
  if (engine_ == nullptr || store_.commits_waiting() > 0) return;
  EXPECT_TRUE(failure_.ok()) << failure_.ToString();
  for (const v1::Batch& batch : engine_->ListBatches({}, "", 1000).batches) {
    const auto* stored = store_.Find(batch.id());
    if (stored == nullptr) {
      ADD_FAILURE() << batch.id() << " is not stored";
      continue;
    }
    EXPECT_EQ(stored->batch->Describe().DebugString(), batch.DebugString());
  }
}

v1::BatchSpec EngineTest::Spec(int count, const std::string& text) {
  return Jobs(std::vector<std::string>(count), text);
}

v1::BatchSpec EngineTest::Jobs(const std::vector<std::string>& jobs, const std::string& text) {
  v1::BatchSpec spec;
  for (const std::string& job : jobs) {
    spec.add_jobs()->mutable_handler()->set_name("echo");
    MergeText(job, spec.mutable_jobs(spec.jobs_size() - 1));
  }
  MergeText(text, &spec);
  return spec;
}

QueueSettings EngineTest::Queue(std::string name, int32_t max_running, int64_t max_queued) {
  QueueSettings settings;
  settings.name = std::move(name);
  settings.max_running = max_running;
  settings.max_queued = max_queued;
  return settings;
}

std::unique_ptr<Submission> EngineTest::MakeCall(const v1::BatchSpec& spec) {
  auto made = MakeSubmission(absl::StrFormat("batch-%04d", ++last_id_), spec);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  auto submission = std::make_unique<Submission>(*std::move(made));
  submission->fingerprint = spec.SerializeAsString();
  return submission;
}

std::string EngineTest::Submit(const v1::BatchSpec& spec) {
  auto submission = MakeCall(spec);
  std::string id = submission->batch_id;
  auto answer = Call(std::move(submission));
  if (answer->given()) {
    EXPECT_TRUE(answer->batch().ok()) << answer->batch().status().ToString();
  }
  return id;
}

std::shared_ptr<Answer> EngineTest::Call(const v1::BatchSpec& spec, const std::string& request_id) {
  auto submission = MakeCall(spec);
  submission->request_id = request_id;
  if (options.durable) AskStore(submission.get());
  return Call(std::move(submission));
}

void EngineTest::AskStore(Submission* submission) {
  submission->looked_up_at = clock_.Read().steady;
  store_.FindRequest(submission->request_id, [&](absl::StatusOr<KnownRequest> request) {
    if (!request.ok()) return;
    const auto* stored = store_.Find(request->batch_id);
    if (stored == nullptr) {
      submission->known = {request->fingerprint, *request->removed};
    } else if (stored->batch->finished()) {
      submission->known = {request->fingerprint, stored->batch->Describe()};
    }
  });
}

std::shared_ptr<Answer> EngineTest::Call(std::unique_ptr<Submission> submission) {
  auto answer = std::make_shared<Answer>();
  engine::Submit submit;
  submit.submission = std::move(submission);
  submit.reply = [answer](absl::StatusOr<v1::Batch> batch, bool replayed) {
    answer->batches.push_back(std::move(batch));
    answer->replayed = replayed;
  };
  Tell(std::move(submit));
  return answer;
}

std::shared_ptr<Answer> EngineTest::CancelIt(const std::string& id, std::vector<int32_t> indexes,
                                             std::chrono::nanoseconds grace) {
  auto answer = std::make_shared<Answer>();
  Cancel cancel;
  cancel.batch_id = id;
  cancel.indexes = std::move(indexes);
  cancel.message = "enough";
  cancel.grace = grace;
  cancel.reply = [answer](absl::StatusOr<v1::Batch> batch) {
    answer->batches.push_back(std::move(batch));
  };
  Tell(std::move(cancel));
  return answer;
}

std::shared_ptr<absl::Status> EngineTest::DeleteIt(const std::string& id) {
  auto answer = std::make_shared<absl::Status>(absl::UnknownError("not answered"));
  Tell(Delete{id, [answer](absl::Status status) { *answer = std::move(status); }});
  return answer;
}

void EngineTest::Tell(Input input) {
  inputs_.push_back(std::move(input));
  Settle();
}

void EngineTest::TellAll(const std::function<void(std::vector<Input>*)>& add) {
  add(&inputs_);
  Settle();
}

void EngineTest::Advance(std::chrono::nanoseconds duration) {
  const base::SteadyTime end = clock_.Read().steady + duration;
  while (engine_ != nullptr && wake_ <= end) {
    if (wake_ > clock_.Read().steady) clock_.Advance(wake_ - clock_.Read().steady);
    Settle();
  }
  clock_.Advance(end - clock_.Read().steady);
  Settle();
}

void EngineTest::OverSleep(std::chrono::nanoseconds duration) {
  clock_.Advance(duration);
  Settle();
}

void EngineTest::Succeed(const std::string& id, int32_t index, std::string output) {
  Outcome outcome;
  outcome.output = std::move(output);
  End(id, index, std::move(outcome));
}

void EngineTest::Fail(const std::string& id, int32_t index, Failure failure) {
  Outcome outcome;
  outcome.failure = std::make_unique<Failure>(std::move(failure));
  End(id, index, std::move(outcome));
}

Failure EngineTest::Failed(int32_t code, std::string message) {
  Failure failure;
  failure.code = code;
  failure.message = std::move(message);
  return failure;
}

Failure EngineTest::FailedFinally(int32_t code) {
  Failure failure = Failed(code);
  failure.final = true;
  return failure;
}

Failure EngineTest::FailedCritically() {
  Failure failure = Failed(13, "disk");
  failure.critical = true;
  return failure;
}

void EngineTest::Exit(const std::string& id, int32_t index, int32_t code) {
  Outcome outcome;
  outcome.command = std::make_unique<CommandOutcome>();
  outcome.command->exit_code = code;
  if (code != 0) {
    outcome.failure = std::make_unique<Failure>();
    outcome.failure->reason = v1::REASON_EXIT_CODE;
  }
  End(id, index, std::move(outcome));
}

void EngineTest::Lose(const std::string& id, int32_t index) {
  Failure failure;
  failure.code = 14;
  failure.reason = v1::REASON_WORKER_LOST;
  Fail(id, index, failure);
}

void EngineTest::Abandon(const std::string& id, int32_t index) {
  Outcome outcome;
  outcome.abandoned = true;
  outcome.failure = std::make_unique<Failure>();
  End(id, index, std::move(outcome));
}

void EngineTest::End(const std::string& id, int32_t index, Outcome outcome) {
  auto found = running_.find({id, index});
  ASSERT_NE(found, running_.end()) << id << " job " << index << " does not run";
  outcome.token = found->second.token;
  running_.erase(found);
  Tell(std::move(outcome));
}

void EngineTest::SucceedAll(const std::string& id) {
  while (!Running(id).empty()) SucceedRunning(id);
}

void EngineTest::SucceedRunning(const std::string& id) {
  EndRunning(id, [](Outcome&) {});
}

void EngineTest::FailRunning(const std::string& id, int32_t code) {
  EndRunning(
      id, [code](Outcome& outcome) { outcome.failure = std::make_unique<Failure>(Failed(code)); });
}

void EngineTest::EndRunning(const std::string& id, const std::function<void(Outcome&)>& end) {
  std::vector<Outcome> outcomes;
  for (const int32_t index : Running(id)) {
    outcomes.emplace_back().token = running_.at({id, index}).token;
    end(outcomes.back());
    running_.erase({id, index});
  }
  Tell(std::move(outcomes));
}

void EngineTest::Restart(std::chrono::nanoseconds down, size_t kept) {
  store_.Crash(kept);
  inputs_.clear();
  running_.clear();
  wake_ = base::SteadyTime::max();
  clock_.Advance(down);
  auto recovery = store_.Recover();
  ASSERT_TRUE(recovery.ok());
  options.epoch = recovery->epoch;
  engine_ = std::make_unique<Engine>(options);
  for (const Publish& log : engine_->Restore(clock_.Read(), std::move(recovery->unfinished))) {
    Show(log);
  }
  Settle();
}

void EngineTest::DrainNow(std::chrono::nanoseconds grace, int* drained) {
  Tell(Drain{grace, [drained] { ++*drained; }});
}

std::vector<int32_t> EngineTest::Running(const std::string& id) const {
  std::vector<int32_t> indexes;
  for (const auto& [name, assignment] : running_) {
    if (name.first == id) indexes.push_back(name.second);
  }
  return indexes;
}

bool EngineTest::Runs(const std::string& id, int32_t index) const {
  return running_.contains({id, index});
}

const Assignment& EngineTest::AssignmentOf(const std::string& id, int32_t index) const {
  return running_.at({id, index});
}

std::vector<std::chrono::nanoseconds> EngineTest::StopsOf(const std::string& id,
                                                          int32_t index) const {
  auto token = last_token_.find({id, index});
  if (token == last_token_.end()) return {};
  auto found = stops_.find(token->second.number);
  return found == stops_.end() ? std::vector<std::chrono::nanoseconds>() : found->second;
}

v1::Batch EngineTest::Describe(const std::string& id) const {
  const test::RecordingStore::Stored* stored = store_.Find(id);
  if (options.durable && stored != nullptr && stored->batch->finished()) {
    EXPECT_EQ(engine_->Find(id), nullptr) << "it has left for the store";
    return stored->batch->Describe();
  }
  auto batch = engine_->DescribeBatch(id);
  EXPECT_TRUE(batch.ok()) << batch.status().ToString();
  return batch.ok() ? *batch : v1::Batch();
}

v1::JobStatus EngineTest::Status(const std::string& id, int32_t index) const {
  auto job = engine_->DescribeJob(id, index);
  EXPECT_TRUE(job.ok()) << job.status().ToString();
  return job.ok() ? job->status : v1::JobStatus();
}

v1::JobState EngineTest::StateOf(const std::string& id, int32_t index) const {
  return Status(id, index).state();
}

v1::JobResult EngineTest::ResultOf(const std::string& id, int32_t index) const {
  v1::JobResult result;
  int results = 0;
  for (const v1::Event& event : Events(id)) {
    if (!event.has_result() || event.job_index() != index) continue;
    result = event.result();
    ++results;
  }
  EXPECT_LE(results, 1) << "job " << index << " has many results";
  return result;
}

std::vector<v1::AttemptError> EngineTest::AttemptErrorsOf(const std::string& id,
                                                          int32_t index) const {
  std::vector<v1::AttemptError> errors;
  for (const v1::Event& event : Events(id)) {
    if (event.has_attempt_error() && event.job_index() == index) {
      errors.push_back(event.attempt_error());
    }
  }
  return errors;
}

v1::BatchFinished EngineTest::FinishOf(const std::string& id) const {
  const auto events = Events(id);
  if (events.empty() || !events.back().has_batch_finished()) return {};
  return events.back().batch_finished();
}

Engine& EngineTest::engine() {
  if (engine_ == nullptr) engine_ = std::make_unique<Engine>(options);
  return *engine_;
}

void EngineTest::Settle() {
  // The store answers from within a Step's effects.
  if (stepping_) return;
  stepping_ = true;
  StepOnce();
  while (!inputs_.empty() || wake_ <= clock_.Read().steady) StepOnce();
  stepping_ = false;
}

void EngineTest::StepOnce() {
  std::vector<Input> inputs = std::exchange(inputs_, {});
  Effects effects = engine().Step(clock_.Read(), interest, &inputs);
  wake_ = effects.wake;
  Perform(std::move(effects));
}

void EngineTest::Show(const Publish& publish) {
  published_[publish.batch->id] = publish.last_sequence;
  if (publish.opened) opened_[publish.batch->id] = publish.last_sequence;
}

void EngineTest::Perform(Effects effects) {
  if (!effects.failure.ok()) failure_ = effects.failure;
  if (!effects.writes.empty()) {
    store_.Commit(std::move(effects.writes), effects.sync,
                  [this, ticket = effects.ticket](absl::Status) { Tell(Committed{ticket}); });
  }
  for (const Publish& publish : effects.publishes) Show(publish);
  for (Notice& notice : effects.notices) notices_.push_back(std::move(notice));
  for (const auto& reply : effects.replies) reply();
  if (effects.resize) resizes_.push_back(*effects.resize);
  for (const StopOrder& order : effects.stops) stops_[order.token.number].push_back(order.grace);
  for (Assignment& assignment : effects.starts) {
    const JobName name{std::string(assignment.batch_id()), assignment.index};
    started_.push_back(name);
    last_token_[name] = assignment.token;
    EXPECT_FALSE(running_.contains(name)) << name.first << " job " << name.second << " runs twice";
    running_[name] = std::move(assignment);
  }
  MoveTo(&remote_.welcomes, &effects.remote.welcomes);
  MoveTo(&remote_.stops, &effects.remote.stops);
  MoveTo(&remote_.starts, &effects.remote.starts);
  MoveTo(&remote_.acknowledgements, &effects.remote.acknowledgements);
  MoveTo(&remote_.checks, &effects.remote.checks);
  MoveTo(&remote_.ends, &effects.remote.ends);
  if (const auto& find = effects.find_expired) {
    store_.FindExpired(find->now, find->max, [this](absl::StatusOr<Expired> expired) {
      Tell(FoundExpired{std::move(expired)});
    });
  }
  for (const LoadShard& load : effects.loads) {
    store_.LoadShard(load.batch_id, load.first_index, [this, load](auto bytes) {
      Tell(ShardLoaded{load.batch_id, load.first_index,
                       bytes.ok() ? ShardJobs::Parse(load.batch_id, load.first_index, **bytes)
                                  : bytes.status()});
    });
  }
}

}  // namespace jobrunner::engine
