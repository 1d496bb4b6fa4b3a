#include "client/admission.h"

#include <algorithm>

namespace jobrunner::client {
namespace {

// Batches kept ready on the server while its pool is busy, so that it never waits for the client.
constexpr int64_t kBatchesAhead = 4;

}  // namespace

Admission::Offer Admission::Next(int64_t ready) const {
  if (ready == 0) return {};
  switch (limits_.mode) {
    case Mode::kPool:
      return NextForPool(ready);
    case Mode::kShared:
      return NextShared(ready);
    case Mode::kDirect:
      return NextDirect(ready);
  }
  return {};
}

Admission::Offer Admission::NextForPool(int64_t ready) const {
  const bool worker_free = unfinished_ < limits_.slots;
  const bool room_ahead = batches_ < kBatchesAhead && unfinished_ < limits_.batch_jobs_max;
  if (!worker_free && !room_ahead) return {};
  return {std::min(ready, limits_.batch_jobs_max), 0};
}

Admission::Offer Admission::NextShared(int64_t ready) const {
  const int64_t free = limits_.slots - slots_used_;
  if (free <= 0) return {};
  // Half of an even share: what is left balances the ends of batches that take longer than others.
  const int64_t even = free == limits_.slots ? ready : ready * free / (2 * limits_.slots);
  const int64_t jobs = std::min({std::max(even, free), ready, limits_.batch_jobs_max});
  return {jobs, static_cast<int32_t>(std::min(free, jobs))};
}

Admission::Offer Admission::NextDirect(int64_t ready) const {
  const int64_t free = limits_.slots - unfinished_;
  return {std::clamp<int64_t>(free, 0, std::min(ready, limits_.batch_jobs_max)), 0};
}

Admission::Share Admission::Submitted(Offer offer) {
  Share share{0, offer.max_parallelism};
  ++batches_;
  SetUnfinished(&share, offer.jobs);
  return share;
}

void Admission::JobEnded(Share* share) { SetUnfinished(share, share->unfinished - 1); }

void Admission::BatchEnded(Share* share) {
  SetUnfinished(share, 0);
  --batches_;
}

// A batch uses no more slots than it has jobs left.
void Admission::SetUnfinished(Share* share, int64_t unfinished) {
  const auto used = [&](int64_t jobs) { return std::min<int64_t>(jobs, share->slots); };
  slots_used_ += used(unfinished) - used(share->unfinished);
  unfinished_ += unfinished - share->unfinished;
  share->unfinished = unfinished;
}

}  // namespace jobrunner::client
