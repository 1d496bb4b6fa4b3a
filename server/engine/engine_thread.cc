#include "engine/engine_thread.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace jobrunner::engine {
namespace {

// In a turn of another thread than the engine's own: what takes more, as the cancel of a large
// batch, is not for one that has something else to do.
constexpr int kStepsHereMax = 2;

}  // namespace

EngineThread::EngineThread(EngineOptions options, Parts parts)
    : parts_(std::move(parts)), id_prng_(base::RandomSeed()), engine_(std::move(options)) {}

EngineThread::~EngineThread() { Stop(); }

void EngineThread::Start(Executor* executor, RemoteWorkers* remote,
                         std::vector<std::unique_ptr<Batch>> unfinished) {
  JOBRUNNER_CHECK(!thread_.joinable());
  executor_ = executor;
  remote_ = remote;
  {
    absl::MutexLock turn(&turn_);
    Publish(engine_.Restore(parts_.clock->Read(), std::move(unfinished)));
  }
  thread_ = std::thread([this] { Run(); });
}

std::string EngineThread::NewBatchId() {
  absl::MutexLock lock(&id_mutex_);
  return ids_.Next(parts_.clock->Read().wall, id_prng_);
}

void EngineThread::Tell(Input input) { mailbox_.Put(std::move(input)); }

void EngineThread::Stop() {
  mailbox_.Close();
  if (thread_.joinable()) thread_.join();
  // Who has taken it before the mailbox was closed gives it back; nobody takes it from here on.
  absl::MutexLock turn(&turn_);
}

void EngineThread::Finished(Outcome outcome) { mailbox_.Put(std::move(outcome)); }

void EngineThread::Finished(std::vector<Outcome> outcomes) { mailbox_.Put(std::move(outcomes)); }

void EngineThread::SlotReturned(AttemptToken token) { mailbox_.Put(engine::SlotReturned{token}); }

void EngineThread::Wrote(OutputChunk chunk) { mailbox_.Put(std::move(chunk)); }

void EngineThread::Progressed(ProgressReport report) { mailbox_.Put(std::move(report)); }

void EngineThread::FinishedHere(std::vector<Outcome> outcomes) {
  if (!TakeTurnHere(&outcomes)) mailbox_.Put(std::move(outcomes));
}

void EngineThread::Run() {
  // At once: what was restored may have something to do.
  base::SteadyTime wake = base::SteadyTime::min();
  while (mailbox_.Await(wake)) wake = TakeTurn();
}

// Only who has the turn takes from the mailbox: so what is in it is younger than all that the
// engine has been told, whoever told it.
base::SteadyTime EngineThread::TakeTurn() {
  absl::MutexLock turn(&turn_);
  if (inputs_.empty()) {
    mailbox_.TryTake(&inputs_);
  } else {
    // After what the store returned, which is older.
    std::vector<Input> taken;
    mailbox_.TryTake(&taken);
    std::move(taken.begin(), taken.end(), std::back_inserter(inputs_));
  }
  Step();
  sleeps_until_ = NextTurn();
  return sleeps_until_;
}

base::SteadyTime EngineThread::NextTurn() const {
  return inputs_.empty() ? wake_ : base::SteadyTime::min();
}

bool EngineThread::TakeTurnHere(std::vector<Outcome>* outcomes) {
  if (!turn_.TryLock()) return false;
  const bool is_idle = inputs_.empty() && mailbox_.idle();
  if (is_idle) {
    inputs_.emplace_back(std::move(*outcomes));
    // A store that answers at once asks for the second.
    for (int steps = 0; steps < kStepsHereMax && !inputs_.empty(); ++steps) Step();
    const base::SteadyTime wake = NextTurn();
    if (wake < sleeps_until_) {
      sleeps_until_ = wake;
      mailbox_.Nudge();
    }
  }
  turn_.Unlock();
  return is_idle;
}

void EngineThread::Step() {
  turn_holder_ = std::this_thread::get_id();
  Effects effects = engine_.Step(parts_.clock->Read(), interest(), &inputs_);
  wake_ = effects.wake;
  Perform(std::move(effects));
  turn_holder_ = std::thread::id();
}

void EngineThread::Perform(Effects effects) {
  if (!effects.writes.empty()) Commit(std::move(effects.writes), effects.sync, effects.ticket);
  Publish(effects.publishes);
  Notify(effects.notices);
  for (const auto& reply : effects.replies) reply();
  if (effects.resize) executor_->Resize(*effects.resize);
  if (!effects.stops.empty()) executor_->Stop(effects.stops);
  if (!effects.starts.empty()) executor_->Start(std::move(effects.starts));
  if (!effects.remote.empty()) remote_->Perform(std::move(effects.remote));
  for (const LoadShard& load : effects.loads) Load(load);
  if (effects.find_expired) Find(*effects.find_expired);
  if (!effects.failure.ok()) {
    std::call_once(failed_once_, [&] { parts_.failed(effects.failure); });
  }
}

void EngineThread::Publish(const std::vector<engine::Publish>& publishes) {
  for (const engine::Publish& publish : publishes) {
    if (publish.opened) {
      parts_.logs->Open(publish.batch->id, publish.last_sequence);
    } else {
      parts_.logs->Published(publish.batch->id, publish.last_sequence, publish.finished);
    }
  }
}

void EngineThread::Notify(const std::vector<Notice>& notices) {
  for (const Notice& notice : notices) {
    for (EventListener* listener : parts_.listeners) {
      listener->Happened(*notice.batch, notice.event, notice.failure);
    }
  }
}

EventListener::Interest EngineThread::interest() const {
  auto greatest = EventListener::Interest::kNothing;
  for (const EventListener* listener : parts_.listeners) {
    greatest = std::max(greatest, listener->interest());
  }
  return greatest;
}

void EngineThread::Commit(std::vector<Write> writes, Sync sync, uint64_t ticket) {
  parts_.store->Commit(std::move(writes), sync, [this, ticket](absl::Status status) {
    if (status.ok()) {
      Return(Committed{ticket});
    } else {
      // Nothing that waits for this commit, or a later one, will ever be shown.
      std::call_once(failed_once_, [&] { parts_.failed(status); });
    }
  });
}

void EngineThread::Load(const LoadShard& load) {
  parts_.store->LoadShard(
      load.batch_id, load.first_index,
      [this, load](absl::StatusOr<std::shared_ptr<const std::string>> bytes) {
        Return(ShardLoaded{load.batch_id, load.first_index,
                           bytes.ok() ? ShardJobs::Parse(load.batch_id, load.first_index, **bytes)
                                      : bytes.status()});
      });
}

void EngineThread::Find(const FindExpired& find) {
  parts_.store->FindExpired(find.now, find.max, [this](absl::StatusOr<Expired> expired) {
    Return(FoundExpired{std::move(expired)});
  });
}

void EngineThread::Return(Input input) {
  if (std::this_thread::get_id() != turn_holder_) {
    mailbox_.Put(std::move(input));
    return;
  }
  turn_.AssertHeld();
  inputs_.push_back(std::move(input));
}

}  // namespace jobrunner::engine
