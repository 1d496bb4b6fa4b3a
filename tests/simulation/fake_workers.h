#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/input.h"
#include "engine/remote_workers.h"
#include "simulation/chance.h"
#include "simulation/moments.h"
#include "simulation/timeline.h"

namespace jobrunner::simulation {

// Pretends to be remote workers and their streams, in virtual time: they come, hold attempts,
// answer for them, are cut off, paused and killed, come back, leave. What the server tells them
// takes its time, in order; what they say comes at once.
class FakeWorkers {
 public:
  struct Sink {
    // A WorkerJoin, WorkerAnswer, WorkerLeaving, WorkerGone, or anything else but outcomes.
    std::function<void(engine::Input)> tell;
    std::function<void(engine::Outcome)> finished;
    std::function<void(RemoteMoment)> happened;
    // Whether anybody is let in.
    std::function<bool()> serves;
  };
  FakeWorkers(Timeline* timeline, Chance* chance, std::chrono::nanoseconds lease, Sink sink);

  // Handlers that they offer, each by some.
  static const std::vector<std::string>& Handlers();

  // To the server of this epoch.
  void Begin(uint32_t epoch);
  // One thing happens to one of them.
  void SufferSomething();
  void CalmDown();

  // What the server has them told.
  void Welcome(const engine::WorkerWelcome& welcome);
  void Stop(const engine::StopOrder& stop);
  void Start(const engine::Assignment& assignment);
  void Acknowledge(const engine::Acknowledgement& acknowledgement);
  void Check(const engine::WorkerCheck& check);
  void End(const engine::WorkerEnd& end);

  // Their streams end; they come back to the server of this epoch, which is there from now on.
  void ServerDied(uint32_t epoch);

 private:
  // Of a token as the worker first had it: the epoch and the number.
  using Number = uint64_t;
  struct Held {
    std::string batch_id;
    int32_t index = 0;
    // As it was assigned, and as the server knows it that has it now.
    engine::AttemptToken name;
    engine::AttemptToken token;
    std::optional<bool> succeeded;
    bool stopped = false;
  };
  struct Worker {
    size_t number = 0;
    std::vector<std::string> handlers;
    int32_t slots = 0;
    // Its stream; kOwnPool: none. The one before, of this server.
    engine::WorkerId session = engine::kOwnPool;
    engine::WorkerId previous = engine::kOwnPool;
    bool alive = true;
    bool welcomed = false;
    bool paused = false;
    bool leaving = false;
    std::map<Number, Held> held;
    // Sent and not read, each with when it arrives.
    std::deque<std::pair<base::SteadyTime, std::function<void()>>> pipe;
  };

  static Number NumberOf(const engine::AttemptToken& token) {
    return (uint64_t{token.epoch} << 40) + token.number;
  }
  Worker* Of(engine::WorkerId session);
  void Send(engine::WorkerId session, std::function<void(Worker&)> order);
  void Read(Worker& worker);
  void Join(Worker& worker);
  void JoinIn(Worker& worker, std::chrono::nanoseconds wait);
  void LoseStream(Worker& worker, bool tell);
  void Cut(Worker& worker);
  void Pause(Worker& worker);
  void Kill(Worker& worker);
  void Leave(Worker& worker);
  void SayLeave(Worker& worker);
  void GoIfDone(Worker& worker);
  void Take(Worker& worker, const Held& held);
  void EndIn(Worker& worker, Number number, std::chrono::nanoseconds wait);
  void EndOne(size_t worker, Number number);
  void Report(Worker& worker, const Held& held);
  std::vector<engine::AttemptToken> Tokens(const Worker& worker) const;

  Timeline* const timeline_;
  Chance& chance_;
  const std::chrono::nanoseconds lease_;
  const Sink sink_;
  // How this world's work is.
  double failing_ = 0;
  int64_t slowest_ms_ = 1;
  bool calm_ = false;
  uint32_t epoch_ = 0;
  engine::WorkerId last_session_ = engine::kOwnPool;
  std::deque<Worker> workers_;
};

}  // namespace jobrunner::simulation
