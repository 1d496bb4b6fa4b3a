#include "rpc/event_message.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"

namespace jobrunner::rpc {
namespace {

using SegmentPtr = std::shared_ptr<const engine::Segment>;

grpc::Slice SliceOf(const SegmentPtr& segment, std::string_view bytes) {
  return grpc::Slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* holder) { delete static_cast<SegmentPtr*>(holder); }, new SegmentPtr(segment));
}

grpc::Slice SliceOf(std::string bytes) {
  auto* held = new std::string(std::move(bytes));
  return grpc::Slice(
      held->data(), held->size(), [](void* holder) { delete static_cast<std::string*>(holder); },
      held);
}

int64_t SizeOf(const engine::Segment& segment, int64_t first, int64_t last) {
  return static_cast<int64_t>(segment.Slice(first, last).size());
}

}  // namespace

KindFilter::KindFilter(const std::vector<v1::EventKind>& kinds) {
  if (kinds.empty()) wanted_.set();
  for (const v1::EventKind kind : kinds) wanted_.set(static_cast<size_t>(kind));
  wanted_.set(v1::EVENT_KIND_BATCH_FINISHED);
}

void EventMessage::AddHead(const std::string& fields) {
  slices_.emplace_back(fields);
  bytes_ += static_cast<int64_t>(fields.size());
}

bool EventMessage::Add(const SegmentPtr& segment) {
  while (last_sequence_ < segment->last_sequence()) {
    const int64_t first = std::max(last_sequence_ + 1, segment->first_sequence());
    if (!filter_.Wants(segment->KindOf(first))) {
      last_sequence_ = first;
      continue;
    }
    // The run of events that are wanted goes as one slice.
    int64_t last = segment->last_sequence();
    if (!filter_.all()) {
      last = first;
      while (last < segment->last_sequence() && filter_.Wants(segment->KindOf(last + 1))) ++last;
    }
    const int64_t fits = LastThatFits(*segment, first, last);
    if (fits < first) return false;
    AddSlice(segment, first, fits);
    if (fits < last) return false;
  }
  return true;
}

int64_t EventMessage::LastThatFits(const engine::Segment& segment, int64_t first,
                                   int64_t last) const {
  const int64_t room = engine::kMessageBytesMax - bytes_;
  if (SizeOf(segment, first, last) <= room) return last;
  // A message has one event at least, however large.
  int64_t fits = empty() ? first : first - 1;
  int64_t too_much = last;
  while (too_much - fits > 1) {
    const int64_t middle = fits + (too_much - fits) / 2;
    (SizeOf(segment, first, middle) <= room ? fits : too_much) = middle;
  }
  return fits;
}

void EventMessage::AddSlice(const SegmentPtr& segment, int64_t first, int64_t last) {
  const std::string_view bytes = segment->Slice(first, last);
  if (bytes.size() <= kCopiedBytesMax) {
    copied_ += bytes;
  } else {
    EndCopy();
    slices_.push_back(SliceOf(segment, bytes));
  }
  bytes_ += static_cast<int64_t>(bytes.size());
  events_ += last - first + 1;
  last_sequence_ = last;
}

void EventMessage::EndCopy() {
  if (!copied_.empty()) slices_.push_back(SliceOf(std::exchange(copied_, {})));
}

grpc::ByteBuffer EventMessage::Build() {
  EndCopy();
  return grpc::ByteBuffer(slices_.data(), slices_.size());
}

}  // namespace jobrunner::rpc
