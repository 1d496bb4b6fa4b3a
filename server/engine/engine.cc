#include "engine/engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/status_macros.h"
#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"

namespace jobrunner::engine {
namespace {

// How many batches one ListBatches looks at.
constexpr int32_t kListLooksMax = 20'000;

}  // namespace

Engine::State::State(EngineOptions options)
    : options_(std::move(options)), prng_(options_.seed), running_(options_.epoch) {
  AddQueue(QueueSettings());
  for (QueueSettings& queue : options_.queues) AddQueue(std::move(queue));
  // In the first Step.
  if (options_.durable) deadlines_.Set(base::SteadyTime::min(), Deadlines::ExpiryDue{});
}

Effects Engine::State::Step(base::Now now, EventListener::Interest interest,
                            std::vector<Input>* inputs) {
  now_ = now;
  effects_ = Effects();
  ForgiveOwnStall();
  journal_.Begin(now, interest);
  RemoveExpired();
  for (Input& input : *inputs) {
    std::visit([this](auto& alternative) { Handle(alternative); }, input);
  }
  inputs->clear();
  while (auto due = deadlines_.PopDue(now.steady)) {
    std::visit([this](const auto& deadline) { Fire(deadline); }, *due);
  }
  AttendAll();
  // After what may have found attempts that are lost: these run again at once.
  RequeueDue();
  BeginHeld();
  StartReady();
  AdvanceDrain();
  FillChecks();
  TellFinished();
  journal_.End(&effects_);
  if (std::exchange(expiry_written_, false)) expiry_ticket_ = effects_.ticket;
  KeepFinished();
  effects_.wake = std::min({effects_.wake, deadlines_.earliest(), retries_.earliest()});
  const bool more = SomeExpired() || (!attention_.empty() && !attention_stalled_);
  if (more) effects_.wake = base::SteadyTime::min();
  step_due_ = std::max(effects_.wake, now.steady);
  return std::move(effects_);
}

void Engine::State::Handle(Committed& committed) {
  Journal::Stored stored = journal_.Committed(committed.ticket, &effects_);
  for (ActiveBatch* active : stored.opened) Open(*active);
  WelcomeStored();
  if (!options_.durable) return;
  stored_starts_.insert(stored_starts_.end(), std::make_move_iterator(stored.starts.begin()),
                        std::make_move_iterator(stored.starts.end()));
  for (ActiveBatch* active : stored.finished) Leave(*active);
  if (committed.ticket == expiry_ticket_) AfterExpiryStored();
}

void Engine::State::Handle(Query& query) {
  if (auto reply = query.look(*engine_)) journal_.WhenStored(std::move(reply));
}

ActiveBatch* Engine::State::FindActive(std::string_view batch_id) const {
  auto found = batches_.find(std::string(batch_id));
  return found == batches_.end() ? nullptr : found->second.get();
}

v1::Wait Engine::State::WaitOf(const ActiveBatch& active, int32_t index) const {
  v1::Wait wait;
  const QueueState& queue = *active.queue;
  const int32_t most = active.batch.header().spec.max_parallelism();
  const auto retry = retries_.TimeOf(const_cast<ActiveBatch*>(&active), index);
  *wait.mutable_since_time() = ToTimestamp(active.batch.header().create_time);
  if (const auto waiting = active.batch.WaitingOf(index)) {
    wait.set_reason(v1::WAIT_REASON_BACKOFF);
    *wait.mutable_since_time() = ToTimestamp(waiting->since);
    *wait.mutable_until_time() = ToTimestamp(waiting->until);
    return wait;
  }
  const ShardRun& run = active.shards[active.batch.ShardOf(index)];
  if (retry || run.delayed) {
    wait.set_reason(v1::WAIT_REASON_DELAY);
    if (retry) *wait.mutable_until_time() = ToTimestamp(now_.wall + (*retry - now_.steady));
    return wait;
  }
  if (phase_ != Phase::kServing) {
    wait.set_reason(v1::WAIT_REASON_DRAINING);
  } else if (queue.paused) {
    wait.set_reason(v1::WAIT_REASON_QUEUE_PAUSED);
  } else if (most > 0 && active.running() >= most) {
    wait.set_reason(v1::WAIT_REASON_MAX_PARALLELISM);
  } else if (queue.full()) {
    wait.set_reason(v1::WAIT_REASON_QUEUE_LIMIT);
  } else {
    wait.set_reason(NobodyOffers(active, index) ? v1::WAIT_REASON_NO_WORKER
                                                : v1::WAIT_REASON_WORKER);
  }
  const Place place = PlaceOf(active, index);
  if (place.since) {
    *wait.mutable_since_time() = ToTimestamp(now_.wall - (now_.steady - *place.since));
  }
  // Those of its own batch that go first, times the batches that take turns.
  const int64_t batches = place.need == nullptr ? 0 : place.need->capability->ready.size();
  wait.set_place(place.before * std::max<int64_t>(batches, 1));
  return wait;
}

Engine::State::Place Engine::State::PlaceOf(const ActiveBatch& active, int32_t index) const {
  Place place;
  const auto found_in = [&](const std::deque<std::pair<int32_t, base::SteadyTime>>& waiting) {
    const auto end = waiting.begin() + std::min<int64_t>(waiting.size(), kPassedOverMax);
    const auto found =
        std::find_if(waiting.begin(), end, [&](const auto& one) { return one.first == index; });
    if (found == end) return false;
    place.before = found - waiting.begin();
    place.since = found->second;
    return true;
  };
  for (const auto& need : active.needs) {
    place.need = need.get();
    if (found_in(need->passed_over)) return place;
  }
  // What it needs is known if it is the same for all.
  place.need = active.needs.size() == 1 ? active.needs.front().get() : nullptr;
  if (found_in(active.again)) return place;
  place.before = static_cast<int64_t>(active.again.size());
  if (active.fresh_shards.empty()) return place;
  const uint32_t shard = *active.fresh_shards.begin();
  const int32_t next = active.batch.shards()[shard].first_index + active.shards[shard].next_fresh;
  place.before += std::max(0, index - next);
  return place;
}

bool Engine::State::NobodyOffers(const ActiveBatch& active, int32_t index) const {
  const BatchNeed* need = PlaceOf(active, index).need;
  return need != nullptr && need->capability != &own_ && need->capability->workers == 0;
}

void Engine::State::AddWait(const ActiveBatch& active, v1::JobStatus* status) const {
  const bool waits =
      status->state() == v1::JOB_STATE_QUEUED || status->state() == v1::JOB_STATE_RETRYING;
  if (waits) *status->mutable_wait() = WaitOf(active, status->index());
}

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>(std::move(options))) {
  state_->engine_ = this;
}

Engine::~Engine() = default;

std::vector<Publish> Engine::Restore(base::Now now,
                                     std::vector<std::unique_ptr<Batch>> unfinished) {
  return state_->Restore(now, std::move(unfinished));
}

Effects Engine::Step(base::Now now, EventListener::Interest interest, std::vector<Input>* inputs) {
  return state_->Step(now, interest, inputs);
}

const Batch* Engine::Find(std::string_view batch_id) const {
  const ActiveBatch* active = state_->FindActive(batch_id);
  return active == nullptr ? nullptr : &active->batch;
}

absl::StatusOr<v1::Batch> Engine::DescribeBatch(std::string_view batch_id) const {
  const Batch* batch = Find(batch_id);
  if (batch == nullptr) return NoSuchBatch(batch_id);
  return batch->Describe();
}

BatchPage Engine::ListBatches(const BatchFilter& filter, std::string_view before_id,
                              int32_t page_size) const {
  BatchPage page;
  const auto& batches = state_->batches_;
  auto it = before_id.empty() ? batches.end() : batches.lower_bound(std::string(before_id));
  int32_t looks = 0;
  while (it != batches.begin()) {
    if (static_cast<int32_t>(page.batches.size()) >= page_size || ++looks > kListLooksMax) {
      page.next_before_id = it->first;
      break;
    }
    --it;
    if (Matches(it->second->batch, filter)) page.batches.push_back(it->second->batch.Describe());
  }
  return page;
}

absl::StatusOr<JobDescription> Engine::DescribeJob(std::string_view batch_id, int32_t index) const {
  const ActiveBatch* active = state_->FindActive(batch_id);
  if (active == nullptr) return NoSuchBatch(batch_id);
  ASSIGN_OR_RETURN(JobDescription job, engine::DescribeJob(active->batch, index));
  state_->AddWait(*active, &job.status);
  return job;
}

absl::StatusOr<JobsPage> Engine::ListJobs(std::string_view batch_id,
                                          const std::vector<v1::JobState>& states,
                                          int32_t first_index, int32_t page_size) const {
  const ActiveBatch* active = state_->FindActive(batch_id);
  if (active == nullptr) return NoSuchBatch(batch_id);
  JobsPage page = engine::ListJobs(active->batch, states, first_index, page_size);
  for (v1::JobStatus& job : page.jobs) state_->AddWait(*active, &job);
  return page;
}

Statistics Engine::CountAll() const {
  Statistics all;
  for (const auto& [name, queue] : state_->queues_) {
    QueueCounts counts = queue->counts;
    counts.running = queue->running;
    counts.retrying = queue->retrying;
    counts.queued = queue->unfinished - queue->running - queue->retrying;
    counts.paused = queue->paused;
    counts.max_running = queue->settings.max_running;
    counts.max_queued = queue->settings.max_queued;
    all.queues.emplace(name, counts);
  }
  all.cancels = state_->cancels_;
  all.batches_running = state_->batches_running_;
  all.batches_kept = static_cast<int64_t>(state_->batches_.size());
  all.slots_lost = state_->slots_lost();
  all.events_written = state_->journal_.events_written();
  all.outcomes_refused = state_->outcomes_refused_;
  all.draining = draining();
  for (const auto& [id, worker] : state_->fleet_.workers()) {
    RemoteWorkerCounts& counts = all.remote_workers.emplace_back();
    counts.name = worker->name;
    counts.slots = worker->slots;
    counts.labels = worker->labels;
    counts.sdk = worker->sdk;
    counts.held = worker->held();
    counts.since = worker->since;
    counts.connected = worker->connected;
    counts.leaving = worker->leaving;
    for (const Capability* capability : worker->offers) counts.handlers.push_back(capability->name);
  }
  return all;
}

std::vector<QueueSettings> Engine::queues() const {
  std::vector<QueueSettings> settings;
  for (const auto& [name, queue] : state_->queues_) {
    if (queue->listed) settings.push_back(queue->settings);
  }
  return settings;
}

bool Engine::draining() const { return state_->phase_ != State::Phase::kServing; }

PoolBounds Engine::pool() const { return state_->options_.pool; }

}  // namespace jobrunner::engine
