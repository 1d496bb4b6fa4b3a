#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "engine/attempt.h"
#include "workers/numbered_assignment.h"
#include "workers/output_pipe.h"
#include "workers/spawner_process.h"
#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// One attempt at a command, from the server's side: its pipes, how far its stop is, and the turning
// of the spawner's report into an outcome. One thread uses it; nothing blocks.
class CommandAttempt {
 public:
  // Keeps or streams `output_bytes_max` of each output.
  CommandAttempt(NumberedAssignment work, int64_t output_bytes_max);

  const engine::Assignment& assignment() const { return assignment_; }
  engine::AttemptToken token() const { return assignment_.token; }
  const v1::Command& command() const { return assignment_.job().command(); }

  // Opens the pipes and the standard input, and gives *order the command's ends. False, with errno
  // set, when the machine has no descriptors left.
  bool OpenFiles(SpawnOrder* order);

  OutputPipe& output() { return output_; }
  OutputPipe& error_output() { return error_output_; }

  // What was gathered to be shown.
  bool has_news() const { return output_.has_news() || error_output_.has_news(); }
  size_t gathered_bytes() const;
  engine::OutputChunk TakeChunk();

  // Reads what is left in the pipes, and closes them.
  void FinishOutputs();

  // The outcome of a command that ran, after its outputs were finished.
  engine::Outcome Ended(const SpawnReport& report);
  // Of one that did not start, or of which nothing is known but that it is over.
  engine::Outcome EndedWith(engine::Failure failure);

  // Where the executor notes what it has done: whether the spawner has it or why it cannot, whether
  // its outputs are watched, how often it was tried again, when it is forced (max() while no stop
  // was asked), and whether it was asked to end, or given up.
  bool is_spawned = false;
  bool is_watched = false;
  std::optional<engine::Failure> launch_failure;
  bool is_abandoned = false;
  bool is_asked = false;
  bool awaits_showing = false;
  int spawn_retries = 0;
  base::SteadyTime forced = base::SteadyTime::max();

 private:
  engine::Outcome Begun();

  const engine::Assignment assignment_;
  const int32_t worker_;
  OutputPipe output_;
  OutputPipe error_output_;
};

}  // namespace jobrunner::workers
