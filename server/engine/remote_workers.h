// The port to the workers that run attempts elsewhere: what they tell the engine, and what it has
// them told. worker_service.proto has the protocol; the engine decides, an adapter speaks.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/attempt.h"

namespace jobrunner::engine {

// Inputs.

// An attempt that a worker says it holds.
struct HeldAttempt {
  std::string batch_id;
  int32_t index = 0;
  // As it was assigned, perhaps by an earlier server.
  AttemptToken token;
};

// A session begins. It is welcomed when it is known what becomes of all that it holds, and what
// takes some of that away is stored; until then its adapter tells of it nothing but its end, and
// its lease does not run out.
struct WorkerJoin {
  // Chosen by the adapter; never 0, never the same again.
  WorkerId worker = kOwnPool;
  // The session that it takes up; kOwnPool: none, or none that the adapter knows.
  WorkerId previous = kOwnPool;
  // For people.
  std::string name;
  std::map<std::string, std::string> labels;
  std::string sdk;
  // And pools, as NeedOf has them.
  std::vector<std::string> handlers;
  int32_t slots = 0;
  std::vector<HeldAttempt> held;
};

struct WorkerResize {
  WorkerId worker = kOwnPool;
  int32_t slots = 0;
};

// What it holds, as it answers to the check of that number.
struct WorkerAnswer {
  WorkerId worker = kOwnPool;
  int64_t number = 0;
  std::vector<AttemptToken> held;
};

// It takes nothing more.
struct WorkerLeaving {
  WorkerId worker = kOwnPool;
  // What it holds. All else that was assigned to it is on its way, and it will not begin it.
  // Without: it runs what still comes.
  std::optional<std::vector<AttemptToken>> held;
};

// Its stream has ended: it may come back within its lease. Of one that was ended: nothing.
struct WorkerGone {
  WorkerId worker = kOwnPool;
};

// Effects.

// The worker goes on with what it held under `held`, and is told of it, and reports it, as `token`.
struct Claim {
  AttemptToken held;
  AttemptToken token;
};

struct WorkerWelcome {
  WorkerId worker = kOwnPool;
  // What it held and is not here is no longer its own.
  std::vector<Claim> claims;
};

// What it should hold: to be answered by a WorkerAnswer.
struct WorkerCheck {
  WorkerId worker = kOwnPool;
  int64_t number = 0;
  std::vector<AttemptToken> held;
};

// Its outcome is stored; or it came too late and was refused, and what ended its attempt is stored.
struct Acknowledgement {
  WorkerId worker = kOwnPool;
  AttemptToken token;
  bool accepted = true;
};

// Its session is over; nothing more is to be told of it.
struct WorkerEnd {
  WorkerId worker = kOwnPool;
  absl::Status status;
};

// Of one Step, to be carried out in this order.
struct RemoteOrders {
  std::vector<WorkerWelcome> welcomes;
  std::vector<StopOrder> stops;
  std::vector<Assignment> starts;
  std::vector<Acknowledgement> acknowledgements;
  std::vector<WorkerCheck> checks;
  std::vector<WorkerEnd> ends;

  bool empty() const {
    return welcomes.empty() && stops.empty() && starts.empty() && acknowledgements.empty() &&
           checks.empty() && ends.empty();
  }
};

class RemoteWorkers {
 public:
  virtual ~RemoteWorkers() = default;

  // On the engine's thread; must not block. Attempts of a worker whose stream has ended are taken
  // without a word: the engine learns of it by WorkerGone, and what they become is its own affair.
  virtual void Perform(RemoteOrders orders) = 0;
};

}  // namespace jobrunner::engine
