#pragma once

#include "absl/status/status.h"

namespace jobrunner::client {

// One call that streams messages in. Read blocks, on one thread; Cancel may be called from any, at
// any time, and makes Read return.
template <typename Response>
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  // False at the end, for good or bad.
  virtual bool Read(Response* response) = 0;
  // How it ended, once Read was false.
  virtual absl::Status Finish() = 0;
  virtual void Cancel() = 0;
};

}  // namespace jobrunner::client
