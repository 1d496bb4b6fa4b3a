// A batch's event log on its way to one reader.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/event_log.h"
#include "engine/limits.h"
#include "engine/store.h"
#include "rpc/dispatcher.h"
#include "rpc/event_message.h"
#include "rpc/message_pace.h"
#include "rpc/stream_life.h"

namespace jobrunner::rpc {

// A cursor into the store: it reads what is there, writes it, and reads on when that is through;
// when there is nothing more, it has itself told of growth. A reader that stalls so holds one
// message and a position. Ends with OK after BatchFinished, or when it has sent what there is and
// is not to follow.
//
// It does one thing at a time: it reads, or writes, or waits. So what only those steps touch needs
// no lock; each hands over to the next through the store's, gRPC's or the dispatcher's.
class EventStream final : public WriteStream, public engine::LogReader {
 public:
  struct Parts {
    engine::Store* store = nullptr;
    engine::EventLogs* logs = nullptr;
    Dispatcher* dispatcher = nullptr;
    OpenCalls* calls = nullptr;
  };
  // Parts outlive it. `client_gone` is called at most once, on any thread, if the client went
  // before the end.
  EventStream(const Parts& parts, std::function<void()> client_gone)
      : WriteStream(parts.calls), parts_(parts), client_gone_(std::move(client_gone)) {}

  struct Position {
    std::string batch_id;
    int64_t after_sequence = 0;
    bool follow = true;
    KindFilter kinds;
    // Serialized fields that begin the first message, which then comes at once.
    std::string head;
    // Called once it is known that there is such a batch.
    std::function<void()> found;
  };
  // Read of the store at a time, about. It is what a reader that stalls holds, with a segment more
  // at most: 100 of them less than 64 MiB, where pages of a MiB took 135.
  static constexpr int64_t kPageBytesMax = 128 << 10;
  static_assert(kPageBytesMax + engine::kSegmentBytesMax <= engine::kMessageBytesMax);
  // Once. Reads and writes on the calling thread, which must not be the engine's.
  void Follow(Position position);

  void LogGrew() override;
  // A log that is complete is shown to its end, and a reader that waits for more gets UNAVAILABLE
  // when it has what there is: once EventLogs::WakeAll has told it to look.
  void EndByServer() override;
  int64_t lag() const override ABSL_LOCKS_EXCLUDED(lag_mutex_);

 private:
  void WriteDone() override;
  void ClientGone() override;

  void Read();
  // As Read, on the dispatcher's thread.
  void ReadLater();
  // Without the store's page.
  void EndWith(const absl::Status& status);
  void Send(const engine::LogPage& page);
  void AwaitGrowth();
  std::shared_ptr<EventStream> self() {
    return std::static_pointer_cast<EventStream>(shared_from_this());
  }

  const Parts parts_;
  const std::function<void()> client_gone_;

  // Set from any thread, while a step is at hand.
  std::atomic<bool> server_stops_{false};
  // For lag, which is asked beside the steps.
  mutable absl::Mutex lag_mutex_;
  std::string batch_id_ ABSL_GUARDED_BY(lag_mutex_);
  int64_t sent_sequence_ ABSL_GUARDED_BY(lag_mutex_) = 0;

  // Of the step at hand.
  Position position_;
  // Says when what has grown is read.
  MessagePace pace_;
  // The batch is not live: what the store has now is all there will be.
  bool last_look_ = false;
};

}  // namespace jobrunner::rpc
