#pragma once

#include <cstdint>

namespace jobrunner::client {

// Decides when `run` submits what it has read, and how much at once. A line that arrives while a
// worker is free is submitted at once; while all are busy, lines gather into larger batches; and
// never are so many jobs out that an endless input fills the server. Not thread-safe.
class Admission {
 public:
  enum class Mode {
    // The server's own pool bounds what runs: keep it supplied.
    kPool,
    // The run has a bound of its own on a server it shares: batches share `slots` between them by
    // their max_parallelism, each as large as leaves an even end (guided self-scheduling).
    kShared,
    // Nothing may wait on the server, so that --halt soon starts nothing more: one job a free slot.
    kDirect,
  };

  struct Limits {
    Mode mode = Mode::kPool;
    // Jobs of the run that may run at once; at least 1.
    int32_t slots = 1;
    int64_t batch_jobs_max = 10'000;
  };

  // What to submit now; no jobs: nothing yet.
  struct Offer {
    int64_t jobs = 0;
    // For the batch; 0: no bound.
    int32_t max_parallelism = 0;
  };

  // What a batch holds; the caller keeps one for each open batch and shows it at every end.
  struct Share {
    int64_t unfinished = 0;
    int32_t slots = 0;
  };

  explicit Admission(Limits limits) : limits_(limits) {}

  // When `ready` lines wait and this is the last that is known of the input.
  Offer Next(int64_t ready) const;

  Share Submitted(Offer offer);
  void JobEnded(Share* share);
  // The batch is over, also if it was refused.
  void BatchEnded(Share* share);

 private:
  Offer NextForPool(int64_t ready) const;
  Offer NextShared(int64_t ready) const;
  Offer NextDirect(int64_t ready) const;
  void SetUnfinished(Share* share, int64_t unfinished);

  const Limits limits_;
  int64_t batches_ = 0;
  int64_t unfinished_ = 0;
  int64_t slots_used_ = 0;
};

}  // namespace jobrunner::client
