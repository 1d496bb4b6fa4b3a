// The end: running attempts may finish, then they are stopped; what remains is put back, or ended
// where nothing outlives the process.

#include <algorithm>
#include <utility>

#include "engine/engine_state.h"
#include "engine/proto_time.h"
#include "engine/stop_errors.h"

namespace jobrunner::engine {
namespace {

// Between asking and forcing, once the shutdown grace has passed.
constexpr std::chrono::seconds kDrainStopGrace{1};

}  // namespace

void Engine::State::Handle(Drain& drain) {
  if (drain.drained) drained_.push_back(std::move(drain.drained));
  if (phase_ == Phase::kDrained) {
    for (auto& done : std::exchange(drained_, {})) journal_.WhenStored(std::move(done));
  }
  if (phase_ == Phase::kStopping || phase_ == Phase::kDrained) return;
  // A second one may shorten the grace, not lengthen it.
  const base::SteadyTime end = Later(now_.steady, drain.grace);
  if (phase_ == Phase::kGrace && end >= drain_end_) return;
  phase_ = Phase::kGrace;
  drain_end_ = end;
  deadlines_.Cancel(&drain_timer_);
  drain_timer_ = deadlines_.Set(end, Deadlines::DrainDeadline{});
}

void Engine::State::Fire(const Deadlines::DrainDeadline&) {
  drain_timer_ = {};
  StopForDrain();
}

void Engine::State::StopForDrain() {
  if (phase_ != Phase::kGrace) return;
  phase_ = Phase::kStopping;
  deadlines_.Cancel(&drain_timer_);
  for (auto& [id, active] : batches_) {
    const bool goes_on = options_.durable && !active->batch.header().bound_to_call;
    if (active->batch.finished()) continue;
    if (!goes_on) {
      CancelBatch(*active, ShutdownError(), kDrainStopGrace);
      continue;
    }
    for (uint32_t slot : active->running_slots) {
      // Its worker goes on with it, and comes back to the next server.
      if (running_.at(slot).at != kOwnPool) continue;
      StopAttempt(slot, {.error = ShutdownError(), .put_back = true}, kDrainStopGrace);
    }
  }
}

void Engine::State::AdvanceDrain() {
  if (phase_ == Phase::kGrace && OnlyRemoteGoesOn() && !AwaitsRemoteStops()) StopForDrain();
  if (phase_ != Phase::kStopping || !Drained()) return;
  phase_ = Phase::kDrained;
  for (auto& done : std::exchange(drained_, {})) journal_.WhenStored(std::move(done));
}

bool Engine::State::Drained() const {
  if (!OnlyRemoteGoesOn() || !attention_.empty()) return false;
  return std::all_of(batches_.begin(), batches_.end(), [](const auto& entry) {
    const ActiveBatch& active = *entry.second;
    if (active.batch.finished() || !active.batch.cancelled_by()) return true;
    // What remote workers hold of it, or may come back with, is the next server's to end.
    const size_t held = active.running_slots.size() + active.unclaimed.size();
    return active.batch.unfinished() == static_cast<int64_t>(held);
  });
}

bool Engine::State::AwaitsRemoteStops() const {
  const auto stops = [&](uint32_t slot) { return running_.at(slot).stop.has_value(); };
  return std::any_of(fleet_.workers().begin(), fleet_.workers().end(), [&](const auto& entry) {
    const std::vector<uint32_t>& attempts = entry.second->attempts;
    return std::any_of(attempts.begin(), attempts.end(), stops);
  });
}

bool Engine::State::OnlyRemoteGoesOn() const {
  if (own_running_ > 0) return false;
  if (!options_.durable) return running_.empty();
  const auto goes_on = [&](uint32_t slot) {
    return !running_.at(slot).batch->batch.header().bound_to_call;
  };
  return std::all_of(fleet_.workers().begin(), fleet_.workers().end(), [&](const auto& entry) {
    const std::vector<uint32_t>& attempts = entry.second->attempts;
    return std::all_of(attempts.begin(), attempts.end(), goes_on);
  });
}

}  // namespace jobrunner::engine
