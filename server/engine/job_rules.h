// What a job's work must be like.

#pragma once

#include <cstdint>
#include <string>

#include "engine/violations.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

// The job's key and its work, but not whether the work can be run here. `payload_bytes_max` bounds
// a payload, a standard input and a request's body.
void CheckWork(const FieldPath& path, const v1::Job& job, int64_t payload_bytes_max,
               Violations* violations);

// What a job may call, and a worker offer.
void CheckHandlerName(const FieldPath& path, const std::string& name, Violations* violations);

}  // namespace jobrunner::engine
