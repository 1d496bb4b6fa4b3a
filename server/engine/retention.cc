// A batch has finished, and goes: with a durable store as soon as its end is stored, which then
// answers for it; otherwise when it was kept for long enough.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/uuid.h"
#include "engine/engine_state.h"
#include "engine/finished_notice.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "engine/submission.h"

namespace jobrunner::engine {

void Engine::State::FinishIfDone(ActiveBatch& active) {
  if (active.batch.unfinished() > 0 || active.batch.finished()) return;
  journal_.Finish(active, RetentionOf(active));
  for (const auto& need : active.needs) need->capability->ready.Leave(&need->turn);
  deadlines_.Cancel(&active.deadline);
  deadlines_.Cancel(&active.disconnect);
  for (ShardRun& run : active.shards) {
    deadlines_.Cancel(&run.deadline);
    deadlines_.Cancel(&run.delay);
    if (run.jobs != nullptr) --shards_loaded_;
    run.jobs.reset();
  }
  active.attention.clear();
  if (std::exchange(active.attention_listed, false)) std::erase(attention_, &active);
  active.again.clear();
  active.fresh_shards.clear();
  --batches_running_;
  finished_now_.push_back(&active);
}

// In a Step's last breath, when nothing goes through the batches any more.
void Engine::State::TellFinished() {
  // What would not begin before the end would be gone with it.
  if (!options_.durable && phase_ != Phase::kServing) return;
  // The list does not change: what is accepted here has not finished.
  for (const ActiveBatch* active : finished_now_) {
    const v1::BatchSpec& spec = active->batch.header().spec;
    if (spec.finished_url().empty()) continue;
    v1::Batch batch = active->batch.Describe();
    // Its last events are not applied before the end of the Step.
    batch.set_last_sequence(active->pending_events->next_sequence() - 1);
    auto notice = MakeSubmission(base::UuidV7(now_.wall, prng_), FinishedNotice(batch, spec));
    // A text that survived the parent's acceptance survives here.
    JOBRUNNER_CHECK(notice.ok());
    Accept(*notice);
  }
}

std::chrono::nanoseconds Engine::State::RetentionOf(const ActiveBatch& active) const {
  const v1::BatchSpec& spec = active.batch.header().spec;
  return spec.has_retention() ? FromDuration(spec.retention()) : options_.retention;
}

// After the Step's records are made, so that their bytes count.
void Engine::State::KeepFinished() {
  for (ActiveBatch* active : finished_now_) {
    if (!options_.durable) Keep(*active);
    // What only running needed.
    active->shards = {};
    DropNeeds(*active);
    active->running_slots = {};
  }
  finished_now_.clear();
}

void Engine::State::DropNeeds(ActiveBatch& active) {
  for (auto& need : std::exchange(active.needs, {})) {
    Capability& capability = *need->capability;
    // Before the capability, in whose queue it stood.
    need.reset();
    --capability.batches;
    if (&capability != &own_) fleet_.Release(capability);
  }
}

void Engine::State::Keep(ActiveBatch& active) {
  active.finish_number = ++last_finish_number_;
  finished_.emplace(active.finish_number, &active);
  kept_bytes_ += active.stored_bytes;
  active.retention =
      deadlines_.Set(Later(now_.steady, RetentionOf(active)), Deadlines::RetentionEnd{&active});
}

// Its end is stored, and shown with this Step: from now on the store is asked for it.
void Engine::State::Leave(ActiveBatch& active) {
  const BatchHeader& header = active.batch.header();
  requests_.BatchLeft(header.request_id, now_.steady);
  const std::string id = header.id;
  batches_.erase(id);
}

void Engine::State::Fire(const Deadlines::RetentionEnd& end) { expired_.push_back(end.batch); }

bool Engine::State::SomeExpired() const {
  if (!expired_.empty() || !deletes_.empty()) return true;
  return kept_bytes_ > options_.kept_bytes_max && !finished_.empty();
}

// Before a Step's inputs, when nothing is pending of what has finished.
void Engine::State::RemoveExpired() {
  for (ActiveBatch* active : std::exchange(expired_, {})) Remove(*active);
  for (Delete& remove : std::exchange(deletes_, {})) {
    // Unless its time came just now.
    if (ActiveBatch* active = FindActive(remove.batch_id)) Remove(*active);
    journal_.WhenStored([reply = std::move(remove.reply)] { reply(absl::OkStatus()); });
  }
  while (SomeExpired()) Remove(*finished_.begin()->second);
  requests_.Sweep(now_.steady);
}

void Engine::State::Remove(ActiveBatch& active) {
  const BatchHeader& header = active.batch.header();
  deadlines_.Cancel(&active.retention);
  finished_.erase(active.finish_number);
  kept_bytes_ -= active.stored_bytes;
  journal_.Remove(header.id, KeepRequestUntil(header.id));
  requests_.BatchRemoved(header.request_id, active.batch.Describe(), now_.steady);
  const std::string id = header.id;
  batches_.erase(id);
}

// Of a batch whose id does not say when it was made, as if that had been now.
base::WallTime Engine::State::KeepRequestUntil(const std::string& batch_id) const {
  const base::WallTime made = base::TimeOfUuidV7(batch_id).value_or(now_.wall);
  return std::max(now_.wall, Later(made, kRequestKnown));
}

void Engine::State::Handle(Delete& remove) {
  const ActiveBatch* active = FindActive(remove.batch_id);
  // One whose end is not stored yet has not been shown to anyone as finished.
  const bool runs = active != nullptr && (options_.durable || !active->batch.finished());
  if (active != nullptr && !runs) {
    deletes_.push_back(std::move(remove));
    return;
  }
  absl::Status status;
  if (runs) {
    status = Refuse(absl::StatusCode::kFailedPrecondition, "BATCH_RUNNING",
                    "the batch has not finished: cancel it first");
  } else if (options_.durable) {
    journal_.Remove(remove.batch_id, KeepRequestUntil(remove.batch_id));
  } else {
    status = Refuse(absl::StatusCode::kNotFound, "BATCH_NOT_FOUND",
                    absl::StrCat("there is no batch \"", remove.batch_id, "\""));
  }
  journal_.WhenStored([reply = std::move(remove.reply), status] { reply(status); });
}

void Engine::State::Fire(const Deadlines::ExpiryDue&) {
  // The next server looks again.
  if (phase_ != Phase::kServing) return;
  effects_.find_expired = FindExpired{now_.wall, kExpiredPageMax};
}

void Engine::State::Handle(FoundExpired& found) {
  if (!found.expired.ok()) {
    effects_.failure = found.expired.status();
    return;
  }
  const Expired& expired = *found.expired;
  const size_t size = expired.batch_ids.size() + expired.request_ids.size();
  more_expired_ = size >= static_cast<size_t>(kExpiredPageMax);
  for (const std::string& id : expired.batch_ids) journal_.Remove(id, KeepRequestUntil(id));
  for (const std::string& id : expired.request_ids) journal_.ForgetRequest(id);
  if (size > 0) {
    expiry_written_ = true;
  } else {
    AfterExpiryStored();
  }
}

// Not before: the store would find the same again.
void Engine::State::AfterExpiryStored() {
  expiry_ticket_ = 0;
  const std::chrono::nanoseconds pause =
      more_expired_ ? std::chrono::nanoseconds(kExpiryPause) : kExpiryInterval;
  deadlines_.Set(Later(now_.steady, pause), Deadlines::ExpiryDue{});
}

}  // namespace jobrunner::engine
