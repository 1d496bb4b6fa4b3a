// How much an attempt at a remote worker has streamed.

#pragma once

#include <cstdint>

#include "engine/attempt.h"

namespace jobrunner::engine {

// Holds what a remote worker sends of an attempt to what the server's own pool would show of it at
// most: kOutputBytesMax of each output, over all streams that the worker has. Not thread-safe.
class StreamedOutput {
 public:
  // Cuts what goes beyond that, and marks where it does. False: nothing of it is to be shown.
  bool Admit(OutputChunk* chunk);

 private:
  int64_t output_bytes_ = 0;
  int64_t error_output_bytes_ = 0;
  // Nothing follows what was cut.
  bool cut_ = false;
};

}  // namespace jobrunner::engine
