// The error channel on its way to one reader.

#pragma once

#include <atomic>
#include <memory>

#include "rpc/dispatcher.h"
#include "rpc/error_channel.h"
#include "rpc/stream_life.h"

namespace jobrunner::rpc {

// Writes what its queue has, and waits when it has nothing. A reader that falls too far behind is
// ended with RESOURCE_EXHAUSTED, READER_TOO_SLOW and the number of events missed. One step at a
// time, as in EventStream.
class ErrorStream final : public WriteStream, public ErrorReader {
 public:
  // All outlive it.
  ErrorStream(ErrorChannel* channel, Dispatcher* dispatcher, OpenCalls* calls)
      : WriteStream(calls), channel_(channel), dispatcher_(dispatcher) {}

  // Once. The client knows by its headers that from here on it sees everything.
  void Listen(ErrorFilter filter);

  void ErrorsCame() override;
  Kind kind() const override { return Kind::kErrors; }

 private:
  void WriteDone() override;
  void Send();

  ErrorChannel* const channel_;
  Dispatcher* const dispatcher_;
  std::shared_ptr<ErrorQueue> queue_;
};

}  // namespace jobrunner::rpc
