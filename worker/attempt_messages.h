// Between the protocol's messages and what runs attempts.

#pragma once

#include "base/clock.h"
#include "engine/attempt.h"
#include "jobrunner/v1/worker_service.pb.h"

namespace jobrunner::worker {

// The attempt that is assigned, under a name of this process's own. Takes the payload out of
// `assignment`.
engine::Assignment TakeAssignment(const engine::AttemptToken& token, v1::Assignment& assignment,
                                  base::Now now);

// Without its assignment_id. Takes the output out of `outcome`.
v1::AttemptOutcome TakeOutcome(engine::Outcome& outcome);

}  // namespace jobrunner::worker
