#pragma once

#include "absl/status/status.h"

namespace jobrunner::client {

// One call that streams messages in. Begin and Read block, on one thread; Cancel may be called from
// any, at any time, and makes them return.
template <typename Response>
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  // Makes the call: returns when the server has been reached, or is not to be. Read does so if it
  // was not done.
  virtual void Begin() = 0;
  // False at the end, for good or bad.
  virtual bool Read(Response* response) = 0;
  // How it ended, once Read was false.
  virtual absl::Status Finish() = 0;
  virtual void Cancel() = 0;
};

}  // namespace jobrunner::client
