// What tells a batch's end to who asked to be told (BatchSpec.finished_url).

#pragma once

#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// A batch of one HTTP job with the finished `batch` as its body; `spec` is what was submitted as
// that.
v1::BatchSpec FinishedNotice(const v1::Batch& batch, const v1::BatchSpec& spec);

}  // namespace jobrunner::engine
