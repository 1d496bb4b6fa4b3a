#include "engine/running_attempts.h"

namespace jobrunner::engine {

RunningAttempt& RunningAttempts::Add(AttemptToken* token) {
  uint32_t slot = static_cast<uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].number = ++last_number_;
  *token = TokenOf(slot);
  return slots_[slot];
}

RunningAttempt* RunningAttempts::Find(const AttemptToken& token) {
  if (token.epoch != epoch_ || token.slot >= slots_.size()) return nullptr;
  RunningAttempt& attempt = slots_[token.slot];
  return attempt.number != 0 && attempt.number == token.number ? &attempt : nullptr;
}

void RunningAttempts::Remove(uint32_t slot) {
  slots_[slot] = RunningAttempt();
  free_.push_back(slot);
}

}  // namespace jobrunner::engine
