// What a worker's loop is told.

#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "base/mailbox.h"
#include "engine/attempt.h"
#include "jobrunner/v1/worker_service.pb.h"

namespace jobrunner::worker {

// The stream has taken the last message that was written: the next may follow.
struct StreamWritten {};

// Nothing more comes from the stream.
struct StreamReadOut {};

// The stream is over; nothing of it follows.
struct StreamEnded {
  absl::Status status;
};

// An attempt that had been given up has ended after all.
struct SlotReturned {
  engine::AttemptToken token;
};

struct Leave {};

using WorkInput = std::variant<v1::WorkResponse, StreamWritten, StreamReadOut, StreamEnded,
                               std::vector<engine::Outcome>, engine::OutputChunk,
                               engine::ProgressReport, SlotReturned, Leave>;
using WorkInbox = base::Mailbox<WorkInput>;

}  // namespace jobrunner::worker
