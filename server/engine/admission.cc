// A batch comes in.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"

namespace jobrunner::engine {

void Engine::State::Handle(Submit& submit) {
  Submission& submission = *submit.submission;
  if (const auto answer = AnswerTo(submission)) {
    Replay(submit, *answer);
    return;
  }
  if (absl::Status refused = CheckAdmission(submission); !refused.ok()) {
    journal_.WhenStored([reply = std::move(submit.reply), refused] { reply(refused, false); });
    return;
  }
  ActiveBatch& active = Accept(submission);
  journal_.WhenStored(
      [reply = std::move(submit.reply), batch = active.batch.Describe()] { reply(batch, false); });
}

// What the store said before counts, unless the batch runs: then the engine knows better.
std::optional<RequestMemory::Answer> Engine::State::AnswerTo(const Submission& submission) const {
  const RequestMemory::Answer* remembered = requests_.Find(submission.request_id);
  const bool runs = remembered != nullptr && FindActive(remembered->batch_id) != nullptr;
  if (submission.known && !runs) {
    const KnownAnswer& known = *submission.known;
    return RequestMemory::Answer{known.batch.id(), known.fingerprint, known.batch};
  }
  if (remembered == nullptr) return std::nullopt;
  return *remembered;
}

void Engine::State::Replay(const Submit& submit, const RequestMemory::Answer& answer) {
  absl::StatusOr<v1::Batch> batch;
  if (answer.fingerprint != submit.submission->fingerprint) {
    batch = Refuse(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                   absl::StrCat("request_id: was used with another batch, ", answer.batch_id));
  } else if (answer.removed) {
    batch = *answer.removed;
  } else if (const ActiveBatch* active = FindActive(answer.batch_id)) {
    batch = active->batch.Describe();
  } else {
    // It has left for the store between the caller's look there and now.
    batch = Refuse(absl::StatusCode::kUnavailable, "REQUEST_JUST_FINISHED",
                   "the request's batch has just finished: ask again");
  }
  journal_.WhenStored([reply = submit.reply, batch] { reply(batch, true); });
}

absl::Status Engine::State::CheckAdmission(const Submission& submission) const {
  using absl::StatusCode;
  if (phase_ != Phase::kServing) {
    return Refuse(StatusCode::kUnavailable, "DRAINING", "the server is draining");
  }
  const bool looked_up = submission.request_id.empty() ||
                         Later(submission.looked_up_at, kRequestLookUpAgeMax) >= now_.steady;
  if (options_.durable && !looked_up) {
    return Refuse(StatusCode::kUnavailable, "BUSY", "the request waited for too long: ask again");
  }
  // What is staged is stored already.
  if (store_is_behind() && submission.staged_bytes == 0) {
    return Refuse(StatusCode::kResourceExhausted, "STORE_BEHIND",
                  absl::StrCat("the store is slow: ", journal_.uncommitted_bytes(),
                               " bytes wait for it, and it takes ", kUncommittedBytesMax));
  }
  if (static_cast<int32_t>(submission.needs.size()) > kNeedsMax) {
    return Refuse(
        StatusCode::kInvalidArgument, "INVALID_ARGUMENT",
        absl::StrCat("batch.jobs: need more than ", kNeedsMax, " different handlers and pools"));
  }
  const std::string& name =
      submission.spec.queue().empty() ? kDefaultQueue : submission.spec.queue();
  auto found = queues_.find(name);
  if (found == queues_.end() || !found->second->listed) {
    return Refuse(StatusCode::kInvalidArgument, "UNKNOWN_QUEUE",
                  absl::StrCat("batch.queue: there is no queue \"", name, "\""));
  }
  const QueueState& queue = *found->second;
  if (queue.settings.max_queued > 0 && submission.job_count > queue.settings.max_queued) {
    return Refuse(StatusCode::kInvalidArgument, "LARGER_THAN_QUEUE",
                  absl::StrCat("batch.jobs: ", submission.job_count, " jobs are more than queue \"",
                               name, "\" ever takes (", queue.settings.max_queued, ")"));
  }
  if (queue.settings.max_queued > 0 &&
      queue.unfinished + submission.job_count > queue.settings.max_queued) {
    return Refuse(
        StatusCode::kResourceExhausted, "QUEUE_FULL",
        absl::StrCat("queue \"", name, "\" has ", queue.unfinished, " unfinished jobs and takes ",
                     queue.settings.max_queued, ": no room for ", submission.job_count));
  }
  if (unfinished_ + submission.job_count > options_.jobs_unfinished_max) {
    return Refuse(
        StatusCode::kResourceExhausted, "SERVER_FULL",
        absl::StrCat("the server has ", unfinished_, " unfinished jobs and takes ",
                     options_.jobs_unfinished_max, ": no room for ", submission.job_count));
  }
  return absl::OkStatus();
}

ActiveBatch& Engine::State::Accept(Submission& submission) {
  if (submission.spec.queue().empty()) submission.spec.set_queue(kDefaultQueue);
  QueueState& queue = *queues_.at(submission.spec.queue());
  Accepted accepted{MakeHeader(submission, queue), {}};
  accepted.shards.reserve(submission.shards.size());
  for (SubmittedShard& submitted : submission.shards) accepted.shards.push_back(submitted.shard);

  auto owned = std::make_unique<ActiveBatch>(accepted);
  ActiveBatch& active = *owned;
  const BatchHeader& header = active.batch.header();
  active.accepted_at = now_.steady;
  active.stored_bytes = submission.staged_bytes;
  Enlist(active, queue);
  for (uint32_t i = 0; i < active.shards.size(); ++i) active.fresh_shards.insert(i);
  KeepParsed(active, submission.shards);
  batches_.emplace(header.id, std::move(owned));
  queue.counts.accepted += header.job_count;
  journal_.Accept(active, std::move(accepted));
  journal_.OpenWhenStored(active);
  return active;
}

// What a batch that runs has, whether it was just accepted or an earlier server left it.
void Engine::State::Enlist(ActiveBatch& active, QueueState& queue) {
  const BatchHeader& header = active.batch.header();
  active.defaults = Overlay(EffectiveOptions(), header.defaults);
  active.queue = &queue;
  AddNeeds(active, queue);
  if (header.deadline != base::WallTime::max()) {
    active.ends_at = Later(active.accepted_at, header.deadline - header.create_time);
    active.deadline = deadlines_.Set(active.ends_at, Deadlines::BatchDeadline{&active});
  }
  requests_.Remember(header.request_id, {header.id, header.fingerprint, std::nullopt}, now_.steady);
  queue.unfinished += active.batch.unfinished();
  unfinished_ += active.batch.unfinished();
  ++batches_running_;
}

void Engine::State::AddNeeds(ActiveBatch& active, QueueState& queue) {
  const BatchHeader& header = active.batch.header();
  const auto add = [&](std::string_view need) {
    Capability& capability = CapabilityFor(need);
    const bool known = std::any_of(active.needs.begin(), active.needs.end(),
                                   [&](const auto& one) { return one->capability == &capability; });
    if (known) return;
    ++capability.batches;
    ReadyQueue::Lane* const lane = capability.ready.LaneOf(queue.settings.name);
    capability.ready.SetOpen(lane, queue.open);
    active.needs.push_back(std::make_unique<BatchNeed>(
        &capability, &active, lane, header.spec.fairness_key(), header.spec.priority()));
  };
  if (header.needs.empty()) add("");
  for (const std::string& need : header.needs) add(need);
}

std::shared_ptr<const BatchHeader> Engine::State::MakeHeader(Submission& submission,
                                                             const QueueState& queue) const {
  auto header = std::make_shared<BatchHeader>();
  header->id = submission.batch_id;
  header->request_id = submission.request_id;
  header->fingerprint = submission.fingerprint;
  header->spec = std::move(submission.spec);
  header->defaults = MergeOptions(header->spec.job_defaults(), queue.settings.job_defaults);
  header->job_count = submission.job_count;
  header->needs = std::move(submission.needs);
  header->create_time = now_.wall;
  header->bound_to_call = submission.bound_to_call;

  const auto timeout = header->spec.has_timeout() ? FromDuration(header->spec.timeout()) : kNoBound;
  const auto call = submission.call_deadline == base::SteadyTime::max()
                        ? kNoBound
                        : submission.call_deadline - now_.steady;
  header->deadline = Later(now_.wall, std::min(timeout, call));
  header->deadline_reason = timeout <= call ? v1::REASON_BATCH_TIMEOUT : v1::REASON_CALL_DEADLINE;
  return header;
}

void Engine::State::KeepParsed(ActiveBatch& active, std::vector<SubmittedShard>& shards) {
  for (uint32_t i = 0; i < shards.size(); ++i) {
    if (shards[i].jobs == nullptr || shards_loaded_ >= options_.shards_loaded_max) return;
    active.shards[i].jobs = std::move(shards[i].jobs);
    ++shards_loaded_;
  }
}

void Engine::State::Open(ActiveBatch& active) {
  active.open = true;
  if (options_.durable) active.batch.DropBytes();
  for (uint32_t i = 0; i < active.shards.size(); ++i) {
    SetShardDeadline(active, i);
    SetShardDelay(active, i);
  }
  if (!active.attention.empty()) ListForAttention(active);
  Settle(active);
}

void Engine::State::SetShardDeadline(ActiveBatch& active, uint32_t shard) {
  const ShardTiming& timing = active.batch.shards()[shard].timing;
  // At least as early as the first deadline: when it fires, the jobs themselves are asked.
  const auto earliest = std::min({timing.start_timeout_min, timing.total_timeout_min,
                                  active.defaults.start_timeout, active.defaults.total_timeout});
  active.shards[shard].deadline =
      deadlines_.Set(Later(active.accepted_at, earliest), Deadlines::ShardDeadline{&active, shard});
}

void Engine::State::SetShardDelay(ActiveBatch& active, uint32_t shard) {
  const ShardTiming& timing = active.batch.shards()[shard].timing;
  ShardRun& run = active.shards[shard];
  const auto delay =
      timing.delay_unset ? std::min(timing.delay_min, active.defaults.delay) : timing.delay_min;
  if (Later(active.accepted_at, delay) <= now_.steady) return;
  run.delayed = true;
  run.delay =
      deadlines_.Set(Later(active.accepted_at, delay), Deadlines::ShardDelay{&active, shard});
  active.fresh_shards.erase(shard);
  ReleaseIfIdle(active, shard);
}

void Engine::State::AddQueue(QueueSettings settings) {
  auto& queue = queues_[settings.name];
  if (queue == nullptr) {
    queue = std::make_unique<QueueState>();
    queue->lane = own_.ready.LaneOf(settings.name);
  }
  queue->listed = true;
  queue->settings = std::move(settings);
  SettleLane(*queue);
}

}  // namespace jobrunner::engine
