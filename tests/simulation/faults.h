#pragma once

#include <string>

namespace jobrunner::simulation {

// Faults of the engine itself, played by what stands around it: each must be found by the checks,
// which proves that these can fail. Not the faults that the engine is to bear; those are in every
// world.
enum class Fault {
  kNone,
  kRecordDropped,         // a record with events never reaches the store
  kCommitsTornApart,      // of a commit's writes the last is lost
  kAnsweredBeforeStored,  // the engine is told of a commit that is not yet stable
  kStopSwallowed,         // an attempt is never asked to stop
  kStaleOutcomeAccepted,  // an outcome of an ended attempt counts for the one that runs
  kStartedTwice,          // one attempt is started twice
  kCancelIgnored,         // a cancel is answered and not done
  kWokenLate,             // the clock runs on past what the engine asked for
  kOutcomeLost,           // an attempt ends and nobody says so
  kAcknowledgedLost,      // a crash takes back what was acknowledged or shown
};

inline constexpr Fault kEveryFault[] = {
    Fault::kRecordDropped,        Fault::kCommitsTornApart,
    Fault::kAnsweredBeforeStored, Fault::kStopSwallowed,
    Fault::kStaleOutcomeAccepted, Fault::kStartedTwice,
    Fault::kCancelIgnored,        Fault::kWokenLate,
    Fault::kOutcomeLost,          Fault::kAcknowledgedLost,
};

std::string NameOf(Fault fault);

}  // namespace jobrunner::simulation
