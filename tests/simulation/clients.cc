#include "simulation/clients.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/limits.h"
#include "engine/submission.h"
#include "simulation/random_batch.h"

namespace jobrunner::simulation {
namespace {

// A few words of an answer, for who reads why it was wrong.
std::string Show(const absl::StatusOr<v1::Batch>& batch) {
  return batch.ok() ? batch->id() : batch.status().ToString();
}

}  // namespace

Clients::Clients(World* world) : world_(*world), chance_(world->chance()) {}

base::SteadyTime Clients::Schedule() {
  const int64_t busy_ms = chance_.Skewed(1'000, 120'000);
  const int64_t batches = chance_.Skewed(2, 40);
  const int64_t actions = chance_.Skewed(5, 200);
  for (int64_t i = 0; i < batches; ++i) {
    world_.timeline().In(std::chrono::milliseconds(chance_.Between(0, busy_ms)),
                         [this] { SubmitNew(); });
  }
  for (int64_t i = 0; i < actions; ++i) {
    world_.timeline().In(std::chrono::milliseconds(chance_.Between(0, busy_ms)),
                         [this] { ActSomehow(); });
  }
  const int64_t troubles = world_.remote() ? chance_.Skewed(5, 100) : 0;
  for (int64_t i = 0; i < troubles; ++i) {
    world_.timeline().In(std::chrono::milliseconds(chance_.Between(0, busy_ms)),
                         [this] { world_.TroubleRemoteWorkers(); });
  }
  return world_.timeline().now().steady + std::chrono::milliseconds(busy_ms);
}

void Clients::ServerDied() {
  unanswered_ = 0;
  ++servers_died_;
}

void Clients::RaceOutcome(const std::string& batch_id, int32_t index) {
  if (!world_.busy() || !chance_.Of(0.01)) return;
  Cancel(batch_id, chance_.Of(0.5) ? std::vector<int32_t>{index} : std::vector<int32_t>());
}

void Clients::ActSomehow() {
  switch (chance_.Between(0, 9)) {
    case 0:
      return CancelBatch();
    case 1:
    case 2:
      return CancelJobs();
    case 3:
      return Watch();
    case 4:
      return SubmitAgain();
    case 5:
      return TurnAKnob();
    default:
      return Look();
  }
}

void Clients::SubmitNew() {
  const bool named = chance_.Of(0.3);
  static const std::vector<std::string> none;
  const auto& handlers = world_.remote() ? FakeWorkers::Handlers() : none;
  Submit(RandomBatch(chance_, world_.queue_names(), handlers),
         named ? absl::StrCat("request-", ++last_request_) : "");
}

void Clients::SubmitAgain() {
  if (requests_.empty()) return;
  auto it = requests_.begin();
  std::advance(it, chance_.Between(0, static_cast<int64_t>(requests_.size()) - 1));
  const std::string request_id = it->first;
  v1::BatchSpec spec = it->second.spec;
  if (chance_.Of(0.3)) spec.set_name("another");
  Submit(spec, request_id);
}

void Clients::Submit(const v1::BatchSpec& spec, const std::string& request_id) {
  const std::string id = absl::StrFormat("batch-%05d", ++last_id_);
  auto made = engine::MakeSubmission(id, spec);
  world_.Require(made.ok(), absl::StrCat("a valid batch is cut: ", made.status().ToString()));
  if (!made.ok()) return;
  auto submission = std::make_unique<engine::Submission>(*std::move(made));
  submission->request_id = request_id;
  submission->fingerprint = spec.SerializeAsString();
  submission->bound_to_call = chance_.Of(0.2);
  if (chance_.Of(0.15)) {
    const auto wait = chance_.Milliseconds(1, 60'000);
    // Some calls are over before they are looked at.
    submission->call_deadline = world_.timeline().now().steady + (chance_.Of(0.1) ? -wait : wait);
  }
  ++unanswered_;
  if (chance_.Of(0.8)) return Tell(std::move(submission), spec);
  auto upload = std::make_shared<Upload>();
  upload->submission = std::move(submission);
  upload->spec = spec;
  upload->server = servers_died_;
  Stage(upload);
}

void Clients::Stage(const std::shared_ptr<Upload>& upload) {
  if (upload->server != servers_died_) return;
  engine::Submission& submission = *upload->submission;
  if (chance_.Of(0.03)) {
    --unanswered_;
    return world_.Stage(engine::DropStaged{submission.batch_id});
  }
  // The last one needs not be stored before the server hears of the batch.
  if (upload->next_shard == submission.shards.size()) {
    return Tell(std::move(upload->submission), upload->spec);
  }
  engine::Shard& shard = submission.shards[upload->next_shard++].shard;
  submission.staged_bytes += static_cast<int64_t>(shard.bytes->size());
  world_.Stage(engine::StageShard{submission.batch_id, shard});
  shard.bytes = nullptr;
  if (chance_.Of(0.5)) return Stage(upload);
  world_.timeline().In(chance_.Milliseconds(0, 3'000), [=, this] { Stage(upload); });
}

void Clients::Tell(std::unique_ptr<engine::Submission> submission, const v1::BatchSpec& spec) {
  const std::string id = submission->batch_id;
  const std::string request_id = submission->request_id;
  const bool staged = submission->staged_bytes > 0;
  world_.TellSubmit(
      std::move(submission), spec,
      [=, this, draining = world_.draining()](absl::StatusOr<v1::Batch> batch, bool replayed) {
        CheckAnswer(id, request_id, draining, spec, batch, replayed);
        const bool taken_over = batch.ok() && batch->id() == id;
        if (staged && !taken_over) world_.Stage(engine::DropStaged{id});
      });
}

void Clients::CheckAnswer(const std::string& batch_id, const std::string& request_id,
                          bool was_draining, const v1::BatchSpec& spec,
                          const absl::StatusOr<v1::Batch>& batch, bool replayed) {
  --unanswered_;
  auto known = requests_.find(request_id);
  const bool may_be_forgotten =
      known != requests_.end() && world_.timeline().now().wall >= known->second.known_until;
  if (known != requests_.end() && (replayed || !may_be_forgotten)) {
    // Its batch finished between the look into the store and the submit.
    if (world_.options().durable && absl::IsUnavailable(batch.status())) return;
    const bool same = known->second.spec.SerializeAsString() == spec.SerializeAsString();
    world_.Require(replayed, "a known request is replayed");
    world_.Require(same ? batch.ok() && batch->id() == known->second.batch_id
                        : absl::IsAlreadyExists(batch.status()),
                   absl::StrCat("a repeated request has the answer of the first, and one with "
                                "another batch is refused: ",
                                Show(batch)));
    return;
  }
  world_.Require(!replayed, "a new request is not replayed");
  if (!batch.ok()) {
    const bool full = absl::IsResourceExhausted(batch.status());
    const bool unknown_queue = absl::IsInvalidArgument(batch.status());
    world_.Require(
        full || unknown_queue || (world_.draining() && absl::IsUnavailable(batch.status())),
        absl::StrCat("a batch is refused for a reason: ", Show(batch)));
    return;
  }
  world_.Require(!was_draining, "nothing is accepted in a drain");
  world_.Require(batch->id() == batch_id, "an accepted batch has its id");
  world_.Require(world_.store().Find(batch_id) != nullptr || world_.store().WasRemoved(batch_id),
                 "a submit is answered when the batch is stable");
  if (!request_id.empty()) {
    const google::protobuf::Timestamp& time = batch->create_time();
    const base::WallTime accepted(std::chrono::seconds(time.seconds()) +
                                  std::chrono::nanoseconds(time.nanos()));
    requests_[request_id] = {batch_id, spec, accepted + engine::kRequestKnown};
  }
}

void Clients::CancelBatch() {
  const auto known = world_.KnownBatches();
  if (!known.empty()) Cancel(chance_.OneOf(known), {});
}

void Clients::CancelJobs() {
  const auto known = world_.KnownBatches();
  if (known.empty()) return;
  const std::string id = chance_.OneOf(known);
  const int32_t count = world_.CheckerOf(id)->spec().jobs_size();
  std::vector<int32_t> indexes;
  for (int64_t i = chance_.Skewed(1, 40); i > 0; --i) {
    indexes.push_back(static_cast<int32_t>(chance_.Between(0, count - 1)));
  }
  Cancel(id, std::move(indexes));
}

void Clients::Cancel(const std::string& batch_id, std::vector<int32_t> indexes) {
  engine::Cancel cancel;
  cancel.batch_id = batch_id;
  cancel.indexes = std::move(indexes);
  cancel.message = "enough";
  cancel.grace = chance_.Of(0.2) ? std::chrono::nanoseconds(0) : chance_.Milliseconds(1, 10'000);
  ++unanswered_;
  cancel.reply = [this, batch_id](absl::StatusOr<v1::Batch> batch) {
    --unanswered_;
    // It may have been removed between.
    if (absl::IsNotFound(batch.status())) return;
    world_.Require(batch.ok(), absl::StrCat("a cancel succeeds: ", Show(batch)));
    const engine::Batch* stored = world_.store().Find(batch_id);
    world_.Require(stored == nullptr || batch->last_sequence() <= stored->last_sequence(),
                   "a cancel is answered when what it says is stable");
  };
  world_.TellCancel(std::move(cancel));
}

void Clients::Watch() {
  const auto known = world_.KnownBatches();
  if (known.empty()) return;
  const std::string id = chance_.OneOf(known);
  world_.Tell(engine::DisconnectWatch{id, +1});
  world_.timeline().In(chance_.Milliseconds(1, 30'000), [this, id, server = servers_died_] {
    if (server != servers_died_) return;
    world_.CheckerOf(id)->interventions.readers_went = true;
    world_.Tell(engine::DisconnectWatch{id, -1});
  });
}

void Clients::Look() {
  const auto known = world_.KnownBatches();
  if (known.empty()) return;
  const std::string id = chance_.OneOf(known);
  ++unanswered_;
  world_.Tell(engine::Query{[this, id](const engine::Engine& engine) -> std::function<void()> {
    auto batch = engine.DescribeBatch(id);
    if (batch.ok()) LookAtJobs(engine, *batch);
    return [this, id, batch] {
      --unanswered_;
      const engine::Batch* stored = world_.store().Find(id);
      if (!batch.ok() || stored == nullptr) return;
      world_.Require(batch->last_sequence() <= stored->last_sequence(),
                     "a look-up is answered when what it saw is stable");
    };
  }});
}

void Clients::LookAtJobs(const engine::Engine& engine, const v1::Batch& batch) {
  const v1::JobCounts& counts = batch.counts();
  std::map<v1::JobState, int64_t> seen;
  int32_t next = 0;
  while (next >= 0) {
    auto page =
        engine.ListJobs(batch.id(), {}, next, static_cast<int32_t>(chance_.Between(1, 1000)));
    world_.Require(page.ok(), "the jobs of a batch that is there are listed");
    if (!page.ok()) return;
    for (const v1::JobStatus& job : page->jobs) {
      ++seen[job.state()];
      const bool waits =
          job.state() == v1::JOB_STATE_QUEUED || job.state() == v1::JOB_STATE_RETRYING;
      world_.Require(job.has_wait() == waits, "a job that waits says for what");
      world_.Require(job.wait().place() >= 0, "a place in the queue is not negative");
    }
    next = page->next_index;
  }
  world_.Require(
      seen[v1::JOB_STATE_QUEUED] == counts.queued() &&
          seen[v1::JOB_STATE_RUNNING] == counts.running() &&
          seen[v1::JOB_STATE_RETRYING] == counts.retrying() &&
          seen[v1::JOB_STATE_SUCCEEDED] == counts.succeeded() &&
          seen[v1::JOB_STATE_FAILED] == counts.failed() &&
          seen[v1::JOB_STATE_CANCELLED] == counts.cancelled(),
      absl::StrCat("the jobs that are listed add up to the batch's counts: ", batch.id()));
}

void Clients::TurnAKnob() {
  switch (chance_.Between(0, 5)) {
    case 0:
      return world_.TellPause(chance_.OneOf(world_.queue_names()), chance_.Of(0.5));
    case 1:
      return world_.TellResize({0, static_cast<int32_t>(chance_.Skewed(1, 60))});
    case 2: {
      std::vector<std::string> names = world_.queue_names();
      if (chance_.Of(0.3)) names.erase(names.begin() + chance_.Between(0, 2));
      return world_.TellReconfigure(RandomQueues(chance_, names));
    }
    case 3:
      return world_.timeline().JumpWall(std::chrono::seconds(chance_.Between(-86'400, 86'400)));
    default:
      return world_.CrashWorker();
  }
}

}  // namespace jobrunner::simulation
