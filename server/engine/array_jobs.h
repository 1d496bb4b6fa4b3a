// Arrays: one description of many jobs (Job.count).

#pragma once

#include <cstdint>

#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

inline bool IsArray(const v1::Job& job) { return job.count() > 0; }

// What the job of one element is: the description with its placeholders filled in, and no array
// any more. `element` counts from 0 over the whole array. Replaces *job, which may lie on an arena.
void ExpandElement(const v1::Job& array, int32_t element, v1::Job* job);

}  // namespace jobrunner::engine
