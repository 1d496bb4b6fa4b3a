// Messages of stored events, which are not parsed for it, and mostly not copied.

#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/segment.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::rpc {

// Which events a reader wants to see.
class KindFilter {
 public:
  // All.
  KindFilter() { wanted_.set(); }
  // These, and BatchFinished, which passes always.
  explicit KindFilter(const std::vector<v1::EventKind>& kinds);

  bool all() const { return wanted_.all(); }
  bool Wants(v1::EventKind kind) const { return wanted_.test(static_cast<size_t>(kind)); }

 private:
  std::bitset<v1::EventKind_ARRAYSIZE> wanted_;
};

// Puts a StreamResultsResponse or a RunBatchResponse together: gRPC gets slices that refer to the
// segments' own bytes and hold the segments for as long as they are on their way. Events that
// trickle in make segments of one event or a few, to which such a reference costs more than a copy
// of their bytes: these are gathered. Not thread-safe.
class EventMessage {
 public:
  // Of the events of one segment: with as many bytes, or fewer, they are copied.
  static constexpr size_t kCopiedBytesMax = 1 << 10;

  // `filter` must outlive it.
  EventMessage(int64_t after_sequence, const KindFilter& filter)
      : last_sequence_(after_sequence), filter_(filter) {}

  // Serialized fields other than events, which begin the message.
  void AddHead(const std::string& fields);

  // The segment's events after last_sequence() that are wanted, as many as the message has room
  // for: kMessageBytesMax in all, unless one event is larger. False when it has no more room.
  bool Add(const std::shared_ptr<const engine::Segment>& segment);

  // The last event that is in the message or was left out as not wanted.
  int64_t last_sequence() const { return last_sequence_; }
  // How many events are in the message.
  int64_t events() const { return events_; }
  bool empty() const { return slices_.empty() && copied_.empty(); }
  // Once.
  grpc::ByteBuffer Build();

 private:
  // Of the events from `first` on that fit, the last; first - 1 if none does.
  int64_t LastThatFits(const engine::Segment& segment, int64_t first, int64_t last) const;
  void AddSlice(const std::shared_ptr<const engine::Segment>& segment, int64_t first, int64_t last);
  // What was copied becomes a slice.
  void EndCopy();

  int64_t last_sequence_;
  const KindFilter& filter_;
  std::vector<grpc::Slice> slices_;
  // What follows the slices.
  std::string copied_;
  int64_t bytes_ = 0;
  int64_t events_ = 0;
};

}  // namespace jobrunner::rpc
