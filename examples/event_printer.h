// Shows what happens to a batch on standard output.

#pragma once

#include "absl/status/statusor.h"
#include "google/protobuf/timestamp.pb.h"
#include "jobrunner/v1/batch.pb.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::examples {

// Prints a line for each event, with the time since the batch was accepted:
//
//      301 ms  ✔ worker 1: Alice done in 300 ms: Alice is 30
//      150 ms  ✘ worker 3: Charlie failed after 150 ms: is 36, over 35
//     1000 ms  ⊘ worker 1: Dave stopped after 100 ms (BATCH_TIMEOUT): the timeout of the batch
//     passed 1000 ms  ⊘ Eve never ran (BATCH_TIMEOUT): the timeout of the batch passed 1000 ms  the
//     batch is CANCELLED: 3 succeeded, 0 failed, 3 cancelled
class EventPrinter {
 public:
  explicit EventPrinter(const v1::Batch& batch) : start_(batch.create_time()) {}

  void Print(const v1::Event& event) const;

 private:
  const google::protobuf::Timestamp start_;
};

// The exit status of a program that ran a batch: 0 when every job succeeded, 1 when not; 2 and a
// line on standard error for a call that was refused.
int ExitStatusOf(const absl::StatusOr<v1::Batch>& batch);

}  // namespace jobrunner::examples
