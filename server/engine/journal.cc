#include "engine/journal.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "engine/limits.h"
#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

template <typename T>
void MoveOnto(std::vector<T>&& from, std::vector<T>* to) {
  if (to->empty()) {
    *to = std::move(from);
  } else {
    to->insert(to->end(), std::make_move_iterator(from.begin()),
               std::make_move_iterator(from.end()));
  }
  from.clear();
}

// Nobody waits for it, and no reader sees it.
bool IsOnlyStarts(const Write& write) {
  const auto* append = std::get_if<Append>(&write);
  const auto* changed = append == nullptr ? nullptr : std::get_if<Changed>(&append->record);
  if (changed == nullptr || changed->segment != nullptr) return false;
  return std::all_of(changed->changes.begin(), changed->changes.end(), [](const JobChange& change) {
    return change.transition == JobTransition::kStart ||
           change.transition == JobTransition::kRequeue;
  });
}

bool IsFailure(const JobChange& change) {
  return change.transition == JobTransition::kRetryAt ||
         change.transition == JobTransition::kFailForGood || change.own_deadline;
}

}  // namespace

void Journal::Begin(base::Now now, EventListener::Interest interest) {
  now_ = now;
  interest_ = interest;
}

void Journal::Accept(ActiveBatch& active, Accepted accepted) {
  int64_t bytes = 0;
  for (const Shard& shard : accepted.shards) {
    // What was staged is stored already.
    if (shard.bytes != nullptr) bytes += static_cast<int64_t>(shard.bytes->size());
  }
  active.stored_bytes += bytes;
  bytes_ += bytes;
  writes_.push_back(Append{active.batch.id(), std::move(accepted)});
  publishes_.push_back({active.batch.header_ptr(), 0, /*opened=*/true, /*finished=*/false});
}

void Journal::Change(ActiveBatch& active, JobChange change) {
  List(active);
  active.batch.Apply(change, now_.wall);
  active.pending_changes.push_back(change);
}

void Journal::Change(ActiveBatch& active, JobChange change, std::string_view job_key,
                     v1::Event* event) {
  List(active);
  event->set_job_index(change.index);
  event->set_job_key(job_key.data(), job_key.size());
  AddEvent(active, event);
  change.result_sequence = event->has_result() ? event->sequence() : 0;
  active.batch.Apply(change, now_.wall);
  active.pending_changes.push_back(change);
  Notify(active, &change, *event);
}

void Journal::Tell(ActiveBatch& active, int32_t index, std::string_view job_key, v1::Event* event) {
  List(active);
  event->set_job_index(index);
  event->set_job_key(job_key.data(), job_key.size());
  AddEvent(active, event);
}

void Journal::RequestCancel(ActiveBatch& active, CancelRequested cancel) {
  // What changed before it stands before it in the store.
  Flush(active);
  cancel.time = now_.wall;
  active.batch.Apply(cancel);
  writes_.push_back(Append{active.batch.id(), std::move(cancel)});
}

void Journal::Finish(ActiveBatch& active, std::chrono::nanoseconds retention) {
  List(active);
  const Batch& batch = active.batch;
  const engine::Finish finish{batch.FinalState(), now_.wall, Later(now_.wall, retention)};
  v1::Event event;
  v1::BatchFinished& finished = *event.mutable_batch_finished();
  finished.set_state(finish.state);
  finished.set_succeeded(batch.count(v1::JOB_STATE_SUCCEEDED));
  finished.set_failed(batch.count(v1::JOB_STATE_FAILED));
  finished.set_cancelled(batch.count(v1::JOB_STATE_CANCELLED));
  if (batch.cancelled_by()) *finished.mutable_error() = *batch.cancelled_by();
  AddEvent(active, &event);
  active.batch.ApplyFinish(finish);
  active.pending_finish = finish;
  stored_.finished.push_back(&active);
  Notify(active, nullptr, event);
}

void Journal::Remove(const std::string& batch_id, base::WallTime keep_request_until) {
  writes_.push_back(engine::Remove{batch_id, keep_request_until});
}

void Journal::ForgetRequest(const std::string& request_id) {
  writes_.push_back(engine::ForgetRequest{request_id});
}

void Journal::End(Effects* effects) {
  for (ActiveBatch* active : changed_) {
    active->pending_listed = false;
    Flush(*active);
  }
  changed_.clear();
  Pending pending{0,
                  std::exchange(bytes_, 0),
                  std::exchange(publishes_, {}),
                  std::exchange(notices_, {}),
                  std::exchange(replies_, {}),
                  std::exchange(acknowledgements_, {}),
                  std::exchange(ends_, {}),
                  std::exchange(stored_, {})};
  if (!writes_.empty()) {
    pending.ticket = ++last_ticket_;
    uncommitted_bytes_ += pending.bytes;
    effects->sync = SyncOf(pending);
    effects->writes = std::exchange(writes_, {});
    effects->ticket = pending.ticket;
    pending_.push_back(std::move(pending));
  } else if (!pending_.empty()) {
    // What it says may rest on what is not stored yet.
    MoveOnto(std::move(pending.replies), &pending_.back().replies);
    MoveOnto(std::move(pending.acknowledgements), &pending_.back().acknowledgements);
    MoveOnto(std::move(pending.ends), &pending_.back().ends);
  } else {
    Show(std::move(pending), effects);
  }
}

// A start rides in the next commit that somebody waits for.
Sync Journal::SyncOf(const Pending& pending) const {
  const bool awaited = !pending.publishes.empty() || !pending.replies.empty() ||
                       !pending.stored.starts.empty() ||
                       !std::all_of(writes_.begin(), writes_.end(), IsOnlyStarts);
  return awaited ? Sync::kNow : Sync::kWithNext;
}

Journal::Stored Journal::Committed(uint64_t ticket, Effects* effects) {
  JOBRUNNER_CHECK(!pending_.empty() && pending_.front().ticket == ticket);
  Pending pending = std::move(pending_.front());
  pending_.pop_front();
  uncommitted_bytes_ -= pending.bytes;
  Stored stored = std::move(pending.stored);
  Show(std::move(pending), effects);
  return stored;
}

void Journal::List(ActiveBatch& active) {
  if (active.pending_listed) return;
  active.pending_listed = true;
  changed_.push_back(&active);
}

void Journal::AddEvent(ActiveBatch& active, v1::Event* event) {
  if (active.pending_events && active.pending_events->full()) Flush(active);
  if (!active.pending_events) active.pending_events.emplace(active.batch.last_sequence() + 1);
  event->set_sequence(active.pending_events->next_sequence());
  *event->mutable_time() = ToTimestamp(now_.wall);
  active.pending_events->Add(*event);
  ++events_written_;
}

void Journal::Notify(const ActiveBatch& active, const JobChange* change, const v1::Event& event) {
  const bool failure = change != nullptr && IsFailure(*change);
  if (interest_ == EventListener::Interest::kNothing) return;
  if (interest_ == EventListener::Interest::kFailures && !failure) return;
  notices_.push_back({active.batch.header_ptr(), event, failure});
}

void Journal::Flush(ActiveBatch& active) {
  if (active.pending_changes.empty() && !active.pending_events) return;
  Changed changed;
  changed.time = now_.wall;
  changed.changes = std::exchange(active.pending_changes, {});
  bytes_ += static_cast<int64_t>(changed.changes.size() * sizeof(JobChange));
  if (active.pending_events) {
    changed.segment = active.pending_events->Build();
    active.pending_events.reset();
    active.batch.ApplyEvents(*changed.segment);
    active.stored_bytes += changed.segment->ByteSize();
    bytes_ += changed.segment->ByteSize();
    publishes_.push_back({active.batch.header_ptr(), changed.segment->last_sequence(),
                          /*opened=*/false, active.pending_finish.has_value()});
  }
  changed.finish = std::exchange(active.pending_finish, std::nullopt);
  writes_.push_back(Append{active.batch.id(), std::move(changed)});
}

void Journal::Show(Pending&& pending, Effects* effects) {
  MoveOnto(std::move(pending.publishes), &effects->publishes);
  MoveOnto(std::move(pending.notices), &effects->notices);
  MoveOnto(std::move(pending.replies), &effects->replies);
  MoveOnto(std::move(pending.acknowledgements), &effects->remote.acknowledgements);
  MoveOnto(std::move(pending.ends), &effects->remote.ends);
}

}  // namespace jobrunner::engine
