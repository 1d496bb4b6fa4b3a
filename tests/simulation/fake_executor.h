#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "engine/executor.h"
#include "engine/input.h"
#include "simulation/chance.h"
#include "simulation/timeline.h"

namespace jobrunner::simulation {

// Pretends to run attempts, in virtual time: they succeed, fail in every way, are lost with their
// worker, obey a stop, ignore it, or are abandoned; and now and then it says twice how one ended.
class FakeExecutor {
 public:
  struct Sink {
    // An outcome; `stale` when the attempt's one outcome was told before.
    std::function<void(engine::Outcome, bool stale)> finished;
    // Anything else.
    std::function<void(engine::Input)> tell;
  };

  FakeExecutor(Timeline* timeline, Chance* chance, Sink sink);

  void Start(engine::Assignment assignment);
  void Stop(const engine::StopOrder& order);
  // All attempts of one worker are lost.
  void CrashWorker();
  // What runs is gone, and nobody is told; what was on its way arrives.
  void ServerDied() { attempts_.clear(); }
  // From here on all that runs ends soon, and well.
  void CalmDown();

  int64_t running() const { return static_cast<int64_t>(attempts_.size()); }

 private:
  struct Attempt {
    engine::Assignment assignment;
    int32_t worker = 0;
    bool command = false;
    bool stopped = false;
  };
  // Of its token: the epoch and the number.
  using Number = uint64_t;
  static Number NumberOf(const engine::AttemptToken& token) {
    return (uint64_t{token.epoch} << 40) + token.number;
  }

  void Plan(Number number);
  void Talk(Number number);
  // What an attempt comes to by itself; or, asked to, or forced.
  void EndByItself(Number number);
  void EndStopped(Number number);
  void EndForced(Number number);
  void End(Number number, engine::Outcome outcome);
  void Lose(Number number);
  void TellLater(engine::Outcome outcome, bool stale, std::chrono::nanoseconds wait);
  void FillFailure(const Attempt& attempt, engine::Outcome* outcome);

  Timeline* const timeline_;
  Chance& chance_;
  const Sink sink_;
  // How this world's work is.
  const double failing_;
  const double disobeying_;
  const int64_t slowest_ms_;
  bool calm_ = false;
  std::map<Number, Attempt> attempts_;
};

}  // namespace jobrunner::simulation
