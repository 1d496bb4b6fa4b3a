#include "simulation/faults.h"

namespace jobrunner::simulation {

std::string NameOf(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "None";
    case Fault::kRecordDropped:
      return "RecordDropped";
    case Fault::kCommitsTornApart:
      return "CommitsTornApart";
    case Fault::kAnsweredBeforeStored:
      return "AnsweredBeforeStored";
    case Fault::kStopSwallowed:
      return "StopSwallowed";
    case Fault::kStaleOutcomeAccepted:
      return "StaleOutcomeAccepted";
    case Fault::kStartedTwice:
      return "StartedTwice";
    case Fault::kCancelIgnored:
      return "CancelIgnored";
    case Fault::kWokenLate:
      return "WokenLate";
    case Fault::kOutcomeLost:
      return "OutcomeLost";
    case Fault::kAcknowledgedLost:
      return "AcknowledgedLost";
  }
  return "Unknown";
}

}  // namespace jobrunner::simulation
