#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "client/halt_policy.h"

namespace jobrunner::client {

class OutputStream;

// How far a run is, to be drawn.
struct RunProgress {
  Tally tally;
  // Jobs known so far; more may come while the input is open.
  int64_t known = 0;
  bool input_ended = false;
  absl::Duration elapsed;
};

// "[######..............]  30% 3/10, 1 failed, 12 s left", without control characters.
std::string ProgressLine(const RunProgress& progress);

// The line at the bottom of a terminal, redrawn at most ten times a second. Not thread-safe.
class ProgressBar {
 public:
  // `terminal` is standard error and outlives the bar.
  explicit ProgressBar(OutputStream* terminal) : terminal_(terminal) {}

  // Draws, if it is time to. Returns when it next is, while something is left undrawn.
  absl::Time Draw(const RunProgress& progress, absl::Time now);

  // Takes the line away, so that other text can be written.
  void Clear();

 private:
  OutputStream* const terminal_;
  absl::Time next_draw_ = absl::InfinitePast();
  bool shown_ = false;
};

}  // namespace jobrunner::client
