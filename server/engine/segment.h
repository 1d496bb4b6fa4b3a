// A run of events of one batch, serialized once.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::engine {

// Events with the sequence numbers first_sequence, first_sequence + 1, …
//
// `bytes` is the concatenation of the events, each with the tag and length that field 1 of a
// message gives it (StreamResultsResponse.events, RunBatchResponse.events): any run of slices is
// the body of such a message, and goes from here to a stream without being parsed.
//
//   bytes := (0x0A varint(length) Event)*
//
// Immutable once built; shared between threads.
class Segment {
 public:
  // Of what bytes() gave. DATA_LOSS unless they are events with the sequences `first_sequence`,
  // `first_sequence` + 1, … and at least one.
  static absl::StatusOr<std::shared_ptr<const Segment>> Parse(int64_t first_sequence,
                                                              std::string bytes);

  int64_t first_sequence() const { return first_sequence_; }
  int64_t last_sequence() const { return first_sequence_ + size() - 1; }
  int64_t size() const { return static_cast<int64_t>(ends_.size()); }
  const std::string& bytes() const { return bytes_; }

  // The tagged events first..last, both included and both in this segment.
  std::string_view Slice(int64_t first, int64_t last) const;
  v1::EventKind KindOf(int64_t sequence) const;
  // The event parsed.
  v1::Event EventAt(int64_t sequence) const;
  // Memory held, about.
  int64_t ByteSize() const;

 private:
  friend class SegmentBuilder;
  int64_t first_sequence_ = 0;
  std::string bytes_;
  // Where each event ends in bytes_.
  std::vector<uint32_t> ends_;
  std::vector<uint8_t> kinds_;
};

// Gathers the events of one batch. Not thread-safe.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(int64_t first_sequence);

  // Appends an event, which has its sequence set to next_sequence().
  void Add(const v1::Event& event);

  int64_t next_sequence() const { return segment_->last_sequence() + 1; }
  // It has reached kEventsPerSegmentMax or kSegmentBytesMax: time to build it.
  bool full() const;

  // The builder is spent afterwards.
  std::shared_ptr<const Segment> Build();

 private:
  std::shared_ptr<Segment> segment_;
};

}  // namespace jobrunner::engine
