#include "simulation/fake_workers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::simulation {

using engine::AttemptToken;
using engine::kOwnPool;
using engine::WorkerId;

FakeWorkers::FakeWorkers(Timeline* timeline, Chance* chance, std::chrono::nanoseconds lease,
                         Sink sink)
    : timeline_(timeline), chance_(*chance), lease_(lease), sink_(std::move(sink)) {}

const std::vector<std::string>& FakeWorkers::Handlers() {
  static const auto* const handlers = new std::vector<std::string>{"resize", "blur"};
  return *handlers;
}

void FakeWorkers::Begin(uint32_t epoch) {
  epoch_ = epoch;
  failing_ = 0.1 * static_cast<double>(chance_.Between(0, 4));
  slowest_ms_ = chance_.Skewed(5, 20'000);
  const auto count = static_cast<size_t>(chance_.Between(1, 4));
  for (size_t i = 0; i < count; ++i) {
    Worker& worker = workers_.emplace_back();
    worker.number = i;
    // The first one offers all, so that everything can end.
    worker.handlers = Handlers();
    if (i > 0 && chance_.Of(0.5)) worker.handlers = {chance_.OneOf(Handlers())};
    worker.slots = static_cast<int32_t>(chance_.Skewed(1, 30));
    JoinIn(worker, chance_.Milliseconds(1, 10'000));
  }
}

void FakeWorkers::SufferSomething() {
  Worker& worker = workers_[static_cast<size_t>(chance_.Between(0, workers_.size() - 1))];
  if (calm_ || worker.session == kOwnPool || worker.paused) return;
  switch (chance_.Between(0, 4)) {
    case 0:
      return Cut(worker);
    case 1:
      return Pause(worker);
    case 2:
      return Kill(worker);
    case 3:
      return Leave(worker);
    default:
      if (worker.held.empty()) return;
      sink_.happened(RemoteMoment::kForgot);
      worker.held.erase(worker.held.begin());
      GoIfDone(worker);
  }
}

void FakeWorkers::CalmDown() {
  calm_ = true;
  for (Worker& worker : workers_) {
    for (const auto& [number, held] : worker.held) {
      EndIn(worker, number, chance_.Milliseconds(1, 1'000));
    }
  }
}

// The stream.

FakeWorkers::Worker* FakeWorkers::Of(WorkerId session) {
  const auto found = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return session != kOwnPool && worker.session == session;
  });
  return found == workers_.end() ? nullptr : &*found;
}

void FakeWorkers::Send(WorkerId session, std::function<void(Worker&)> order) {
  Worker* const worker = Of(session);
  if (worker == nullptr) return;
  auto arrives = timeline_->now().steady;
  if (chance_.Of(0.3)) arrives += chance_.Milliseconds(1, 200);
  if (!worker->pipe.empty()) arrives = std::max(arrives, worker->pipe.back().first);
  worker->pipe.emplace_back(arrives, [worker, session, order = std::move(order)] {
    if (worker->session == session) order(*worker);
  });
  timeline_->At(arrives, [this, worker] { Read(*worker); });
}

void FakeWorkers::Read(Worker& worker) {
  while (!worker.paused && !worker.pipe.empty() &&
         worker.pipe.front().first <= timeline_->now().steady) {
    const auto order = std::move(worker.pipe.front().second);
    worker.pipe.pop_front();
    order();
  }
}

void FakeWorkers::JoinIn(Worker& worker, std::chrono::nanoseconds wait) {
  timeline_->In(wait, [this, &worker] { Join(worker); });
}

void FakeWorkers::Join(Worker& worker) {
  if (worker.session != kOwnPool || worker.paused) return;
  if (!sink_.serves()) return JoinIn(worker, std::chrono::seconds(1));
  worker.session = ++last_session_;
  worker.welcomed = false;
  engine::WorkerJoin join;
  join.worker = worker.session;
  join.previous = std::exchange(worker.previous, worker.session);
  join.name = absl::StrCat("worker ", worker.number);
  join.handlers = worker.handlers;
  join.slots = worker.slots;
  for (auto& [number, held] : worker.held) {
    // What the server does not know by another token it knows by its first.
    if (held.token.epoch != epoch_) held.token = held.name;
    join.held.push_back({held.batch_id, held.index, held.token});
  }
  if (join.previous != kOwnPool) sink_.happened(RemoteMoment::kCameBack);
  sink_.tell(std::move(join));
}

void FakeWorkers::LoseStream(Worker& worker, bool tell) {
  const WorkerId session = std::exchange(worker.session, kOwnPool);
  worker.pipe.clear();
  if (tell && session != kOwnPool) sink_.tell(engine::WorkerGone{session});
}

void FakeWorkers::ServerDied(uint32_t epoch) {
  epoch_ = epoch;
  for (Worker& worker : workers_) {
    LoseStream(worker, /*tell=*/false);
    worker.previous = kOwnPool;
    JoinIn(worker, chance_.Of(0.8) ? chance_.Milliseconds(1, 500) : 2 * lease_);
  }
}

// What happens to them.

void FakeWorkers::Cut(Worker& worker) {
  sink_.happened(RemoteMoment::kCut);
  LoseStream(worker, /*tell=*/true);
  JoinIn(worker, chance_.Of(0.7) ? chance_.Milliseconds(1, 500) : 2 * lease_);
}

void FakeWorkers::Pause(Worker& worker) {
  sink_.happened(RemoteMoment::kPaused);
  worker.paused = true;
  const auto time = chance_.Of(0.5) ? lease_ / 2 : 2 * lease_;
  timeline_->In(time, [this, &worker] {
    worker.paused = false;
    Read(worker);
    // What has ended meanwhile.
    const std::map<Number, Held> held = worker.held;
    for (const auto& [number, one] : held) {
      if (one.succeeded) Report(worker, one);
    }
    if (worker.session == kOwnPool) JoinIn(worker, chance_.Milliseconds(1, 100));
  });
}

void FakeWorkers::Kill(Worker& worker) {
  sink_.happened(RemoteMoment::kKilled);
  worker.held.clear();
  worker.leaving = false;
  LoseStream(worker, /*tell=*/true);
  worker.previous = kOwnPool;
  JoinIn(worker, chance_.Milliseconds(1, 5'000));
}

void FakeWorkers::Leave(Worker& worker) {
  if (worker.leaving) return;
  sink_.happened(RemoteMoment::kLeft);
  worker.leaving = true;
  if (worker.welcomed) SayLeave(worker);
}

void FakeWorkers::SayLeave(Worker& worker) {
  sink_.tell(engine::WorkerLeaving{worker.session, Tokens(worker)});
  GoIfDone(worker);
}

// Another process takes the place of one that has left.
void FakeWorkers::GoIfDone(Worker& worker) {
  if (!worker.leaving || !worker.held.empty() || !worker.welcomed) return;
  worker.leaving = false;
  LoseStream(worker, /*tell=*/true);
  worker.previous = kOwnPool;
  JoinIn(worker, chance_.Milliseconds(1, 5'000));
}

// What the server says.

void FakeWorkers::Welcome(const engine::WorkerWelcome& welcome) {
  Send(welcome.worker, [this, claims = welcome.claims](Worker& worker) {
    worker.welcomed = true;
    for (auto it = worker.held.begin(); it != worker.held.end();) {
      Held& held = it->second;
      const auto claim = std::find_if(claims.begin(), claims.end(), [&](const engine::Claim& one) {
        return one.held == held.token;
      });
      if (claim != claims.end()) held.token = claim->token;
      it = claim == claims.end() ? worker.held.erase(it) : std::next(it);
    }
    const std::map<Number, Held> held = worker.held;
    for (const auto& [number, one] : held) {
      if (one.succeeded) Report(worker, one);
    }
    if (worker.leaving) SayLeave(worker);
  });
}

void FakeWorkers::Start(const engine::Assignment& assignment) {
  const Held held{std::string(assignment.batch_id()),
                  assignment.index,
                  assignment.token,
                  assignment.token,
                  std::nullopt,
                  false};
  Send(assignment.at, [this, held](Worker& worker) {
    // It crossed the leave: not to be begun.
    if (!worker.leaving) Take(worker, held);
  });
}

void FakeWorkers::Take(Worker& worker, const Held& held) {
  const Number number = NumberOf(held.name);
  worker.held.emplace(number, held);
  // Some never end by themselves.
  if (!calm_ && chance_.Of(0.02)) return;
  EndIn(worker, number, calm_ ? chance_.Milliseconds(1, 50) : chance_.Milliseconds(1, slowest_ms_));
}

void FakeWorkers::Stop(const engine::StopOrder& stop) {
  Send(stop.at, [this, token = stop.token](Worker& worker) {
    for (auto& [number, held] : worker.held) {
      if (!(held.token == token) || std::exchange(held.stopped, true)) continue;
      if (calm_ || chance_.Of(0.7)) EndIn(worker, number, chance_.Milliseconds(1, 2'000));
    }
  });
}

void FakeWorkers::Acknowledge(const engine::Acknowledgement& acknowledgement) {
  Send(acknowledgement.worker, [this, token = acknowledgement.token](Worker& worker) {
    std::erase_if(worker.held, [&](const auto& entry) { return entry.second.token == token; });
    GoIfDone(worker);
  });
}

void FakeWorkers::Check(const engine::WorkerCheck& check) {
  Send(check.worker, [this, check](Worker& worker) {
    for (auto& [number, held] : worker.held) {
      const bool named =
          std::find(check.held.begin(), check.held.end(), held.token) != check.held.end();
      if (!named && !held.stopped) {
        held.stopped = true;
        EndIn(worker, number, chance_.Milliseconds(1, 100));
      }
    }
    sink_.tell(engine::WorkerAnswer{worker.session, check.number, Tokens(worker)});
  });
}

void FakeWorkers::End(const engine::WorkerEnd& end) {
  Send(end.worker, [this](Worker& worker) {
    worker.held.clear();
    worker.leaving = false;
    LoseStream(worker, /*tell=*/false);
    worker.previous = kOwnPool;
    JoinIn(worker, chance_.Milliseconds(1, 500));
  });
}

// What becomes of attempts.

void FakeWorkers::EndIn(Worker& worker, Number number, std::chrono::nanoseconds wait) {
  timeline_->In(wait, [this, at = worker.number, number] { EndOne(at, number); });
}

void FakeWorkers::EndOne(size_t at, Number number) {
  Worker& worker = workers_[at];
  const auto found = worker.held.find(number);
  if (found == worker.held.end() || found->second.succeeded) return;
  found->second.succeeded = calm_ || !chance_.Of(found->second.stopped ? 0.8 : failing_);
  if (worker.session != kOwnPool && worker.welcomed && !worker.paused) {
    Report(worker, found->second);
  }
}

void FakeWorkers::Report(Worker& worker, const Held& held) {
  if (worker.session == kOwnPool || !worker.welcomed) return;
  engine::Outcome outcome;
  outcome.token = held.token;
  outcome.at = worker.session;
  outcome.output = "result";
  if (!*held.succeeded) {
    outcome.failure = std::make_unique<engine::Failure>();
    outcome.failure->code = 5;
  }
  sink_.finished(std::move(outcome));
}

std::vector<AttemptToken> FakeWorkers::Tokens(const Worker& worker) const {
  std::vector<AttemptToken> tokens;
  for (const auto& [number, held] : worker.held) tokens.push_back(held.token);
  return tokens;
}

}  // namespace jobrunner::simulation
