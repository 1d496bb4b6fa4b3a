#include "engine/segment.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "engine/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace jobrunner::engine {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Field 1, length-delimited.
constexpr char kEventTag = 0x0A;

v1::EventKind KindOf(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kOutput:
      return v1::EVENT_KIND_OUTPUT;
    case v1::Event::kProgress:
      return v1::EVENT_KIND_PROGRESS;
    case v1::Event::kAttemptError:
      return v1::EVENT_KIND_ATTEMPT_ERROR;
    case v1::Event::kResult:
      return v1::EVENT_KIND_RESULT;
    case v1::Event::kBatchFinished:
      return v1::EVENT_KIND_BATCH_FINISHED;
    case v1::Event::KIND_NOT_SET:
      return v1::EVENT_KIND_UNSPECIFIED;
  }
  return v1::EVENT_KIND_UNSPECIFIED;
}

v1::EventKind KindOfField(int field) {
  switch (field) {
    case v1::Event::kOutputFieldNumber:
      return v1::EVENT_KIND_OUTPUT;
    case v1::Event::kProgressFieldNumber:
      return v1::EVENT_KIND_PROGRESS;
    case v1::Event::kAttemptErrorFieldNumber:
      return v1::EVENT_KIND_ATTEMPT_ERROR;
    case v1::Event::kResultFieldNumber:
      return v1::EVENT_KIND_RESULT;
    case v1::Event::kBatchFinishedFieldNumber:
      return v1::EVENT_KIND_BATCH_FINISHED;
    default:
      return v1::EVENT_KIND_UNSPECIFIED;
  }
}

struct Outline {
  uint64_t sequence = 0;
  v1::EventKind kind = v1::EVENT_KIND_UNSPECIFIED;
};

// Reads the fields of the event up to the end of `in` without building it. False unless they are
// fields.
bool ReadOutline(CodedInputStream* in, Outline* outline) {
  while (const uint32_t tag = in->ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    const bool is_sequence = tag == WireFormatLite::MakeTag(v1::Event::kSequenceFieldNumber,
                                                            WireFormatLite::WIRETYPE_VARINT);
    if (const v1::EventKind kind = KindOfField(field)) outline->kind = kind;
    const bool whole =
        is_sequence ? in->ReadVarint64(&outline->sequence) : WireFormatLite::SkipField(in, tag);
    if (!whole) return false;
  }
  return in->ConsumedEntireMessage();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Segment>> Segment::Parse(int64_t first_sequence,
                                                              std::string bytes) {
  auto segment = std::make_shared<Segment>();
  segment->first_sequence_ = first_sequence;
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  const auto damaged = [&] {
    return absl::DataLossError(
        absl::StrCat("the segment of events from ", first_sequence, " is damaged"));
  };
  while (in.CurrentPosition() < static_cast<int>(bytes.size())) {
    uint32_t length = 0;
    const bool begun = in.ReadTag() == kEventTag && in.ReadVarint32(&length) &&
                       in.CurrentPosition() + int64_t{length} <= std::ssize(bytes);
    if (!begun) return damaged();
    const auto limit = in.PushLimit(static_cast<int>(length));
    Outline outline;
    const int64_t sequence = segment->last_sequence() + 1;
    if (!ReadOutline(&in, &outline) || static_cast<int64_t>(outline.sequence) != sequence) {
      return damaged();
    }
    in.PopLimit(limit);
    segment->ends_.push_back(static_cast<uint32_t>(in.CurrentPosition()));
    segment->kinds_.push_back(static_cast<uint8_t>(outline.kind));
  }
  if (segment->ends_.empty()) return damaged();
  segment->bytes_ = std::move(bytes);
  return segment;
}

std::string_view Segment::Slice(int64_t first, int64_t last) const {
  JOBRUNNER_CHECK(first >= first_sequence_ && last <= last_sequence() && first <= last);
  const int64_t i = first - first_sequence_;
  const size_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[last - first_sequence_] - begin);
}

v1::EventKind Segment::KindOf(int64_t sequence) const {
  return static_cast<v1::EventKind>(kinds_[sequence - first_sequence_]);
}

v1::Event Segment::EventAt(int64_t sequence) const {
  const std::string_view tagged = Slice(sequence, sequence);
  CodedInputStream in(reinterpret_cast<const uint8_t*>(tagged.data()),
                      static_cast<int>(tagged.size()));
  uint32_t length = 0;
  v1::Event event;
  const bool whole = in.Skip(1) && in.ReadVarint32(&length) && event.ParseFromCodedStream(&in);
  JOBRUNNER_CHECK(whole);
  return event;
}

int64_t Segment::ByteSize() const {
  return static_cast<int64_t>(sizeof(Segment) + bytes_.capacity() +
                              ends_.capacity() * sizeof(uint32_t) + kinds_.capacity());
}

SegmentBuilder::SegmentBuilder(int64_t first_sequence) : segment_(std::make_shared<Segment>()) {
  segment_->first_sequence_ = first_sequence;
}

void SegmentBuilder::Add(const v1::Event& event) {
  std::string& bytes = segment_->bytes_;
  const size_t length = event.ByteSizeLong();
  const size_t begin = bytes.size();
  const size_t header = 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(length));
  bytes.resize(begin + header + length);
  auto* out = reinterpret_cast<uint8_t*>(bytes.data() + begin);
  *out++ = kEventTag;
  out = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length), out);
  event.SerializeWithCachedSizesToArray(out);
  segment_->ends_.push_back(static_cast<uint32_t>(bytes.size()));
  segment_->kinds_.push_back(static_cast<uint8_t>(engine::KindOf(event)));
}

bool SegmentBuilder::full() const {
  return segment_->size() >= kEventsPerSegmentMax ||
         static_cast<int64_t>(segment_->bytes_.size()) >= kSegmentBytesMax;
}

std::shared_ptr<const Segment> SegmentBuilder::Build() {
  segment_->bytes_.shrink_to_fit();
  segment_->ends_.shrink_to_fit();
  segment_->kinds_.shrink_to_fit();
  return std::move(segment_);
}

}  // namespace jobrunner::engine
