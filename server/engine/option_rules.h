// What a job's options must be like.

#pragma once

#include "engine/violations.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

// The options of a job, the job_defaults of a batch or of a queue.
void CheckOptions(const FieldPath& path, const v1::JobOptions& options, Violations* violations);

void CheckRetryPolicy(const FieldPath& path, const v1::RetryPolicy& policy, Violations* violations);

}  // namespace jobrunner::engine
