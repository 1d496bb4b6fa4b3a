// The lines of the job log.

#pragma once

#include <string>

#include "engine/batch_header.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::server {

// A failed attempt or a result as a line for people, without an end of line:
//
//   ✔ worker 1: Alice done in 234 ms
//   ✘ worker 3: Charlie failed (attempt 1 of 2): exit code 3; again in 1.2 s
//   ⊘ worker 2: Dave cancelled (batch timeout) after 800 ms: the batch's timeout of 1 s passed
//
// The job's key names it, or BATCH/INDEX. Empty for any other event.
std::string JobLogText(const engine::BatchHeader& batch, const v1::Event& event);

// The same as a JSON object. Fields that have nothing to say are left out; times in milliseconds.
std::string JobLogJson(const engine::BatchHeader& batch, const v1::Event& event);

}  // namespace jobrunner::server
