// The sessions of remote workers.

#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "engine/executor.h"
#include "engine/input.h"
#include "engine/limits.h"
#include "engine/remote_workers.h"
#include "jobrunner/v1/worker_service.pb.h"
#include "rpc/assignment_table.h"

namespace jobrunner::rpc {

class WorkerSession;

// The engine, as the workers' side sees it. Any thread may call; no call blocks.
struct WorkerEngine {
  std::function<void(engine::Input)> tell;
  engine::AttemptSink* sink = nullptr;
};

// Knows who is there: hands the engine's orders over to the sessions, and knows a worker again that
// comes back. Thread-safe; no call blocks. Outlives the engine's thread and the sessions.
class WorkerSessions final : public engine::RemoteWorkers {
 public:
  struct Parts {
    WorkerEngine engine;
    const base::Clock* clock = nullptr;
    // What the engine counts by (EngineOptions.worker_lease).
    std::chrono::nanoseconds lease{0};
    // The server's handlers, which no worker may offer.
    std::vector<std::string> own_handlers;
  };
  explicit WorkerSessions(Parts parts);
  ~WorkerSessions() override;

  const WorkerEngine& engine() const { return engine_; }
  const base::Clock& clock() const { return clock_; }
  std::chrono::nanoseconds lease() const { return lease_; }

  struct Identity {
    engine::WorkerId worker = engine::kOwnPool;
    // For the worker to come back with: not to be guessed. The same for as long as it comes back.
    std::string session_id;
  };
  // A worker has said hello: from here on its session is given orders. INVALID_ARGUMENT names what
  // is wrong with it, UNAVAILABLE: the server is draining. *brought: what it holds, by the tokens
  // that the engine is told.
  absl::StatusOr<Identity> Join(const v1::WorkerHello& hello, std::weak_ptr<WorkerSession> session,
                                IdsByToken* brought) ABSL_LOCKS_EXCLUDED(mutex_);
  // Its stream has ended. It is known again for one lease.
  void Leave(const Identity& identity) ABSL_LOCKS_EXCLUDED(mutex_);

  // The server drains: tells the workers, and takes no new ones; those that it knows may come back.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  void Perform(engine::RemoteOrders orders) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using SessionOrders = absl::flat_hash_map<engine::WorkerId, engine::RemoteOrders>;

  // A stream that is there.
  struct Open {
    std::weak_ptr<WorkerSession> session;
    std::string session_id;
  };
  // Of a session_id: who it is now.
  struct Known {
    engine::WorkerId worker = engine::kOwnPool;
    // max() while its stream is there.
    base::SteadyTime forgotten_at = base::SteadyTime::max();
    // By which it came from an earlier server.
    std::string earlier_id;
    // What it goes on with from an earlier server: from the token in the id to the engine's.
    absl::flat_hash_map<engine::AttemptToken, engine::AttemptToken> taken_over;
  };

  void Remember(const engine::WorkerWelcome& welcome) ABSL_LOCKS_EXCLUDED(mutex_);
  void Hand(engine::WorkerId worker, engine::RemoteOrders orders) ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string SessionOf(const v1::WorkerHello& hello) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GoBy(const std::string& earlier_id, const std::string& session_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Known& Identify(Identity* identity) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::shared_ptr<WorkerSession>> All() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const WorkerEngine engine_;
  const base::Clock& clock_;
  const std::chrono::nanoseconds lease_;
  const absl::flat_hash_set<std::string> own_handlers_;

  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  engine::WorkerId last_worker_ ABSL_GUARDED_BY(mutex_) = engine::kOwnPool;
  absl::flat_hash_map<engine::WorkerId, Open> open_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  // Session ids of earlier servers, to this one's.
  absl::flat_hash_map<std::string, std::string> earlier_ids_ ABSL_GUARDED_BY(mutex_);
  // Session ids by when they are forgotten; one that came back meanwhile is not.
  std::deque<std::pair<base::SteadyTime, std::string>> leaving_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::rpc
