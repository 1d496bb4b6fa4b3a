#include "rpc/error_channel.h"

#include <algorithm>

#include "engine/limits.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::rpc {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

size_t LengthDelimitedSize(size_t size) { return 1 + WireFormatLite::LengthDelimitedSize(size); }

// The event as StreamErrorsResponse.events has it, with its tag and length. By hand, since a
// BatchEvent would have to copy the event, which may have megabytes of output.
std::shared_ptr<const std::string> Serialize(const engine::BatchHeader& batch,
                                             const v1::Event& event) {
  const size_t event_size = event.ByteSizeLong();
  const std::string& queue = batch.spec.queue();
  const size_t size = LengthDelimitedSize(batch.id.size()) + LengthDelimitedSize(queue.size()) +
                      LengthDelimitedSize(event_size);
  auto bytes = std::make_shared<std::string>();
  google::protobuf::io::StringOutputStream stream(bytes.get());
  CodedOutputStream output(&stream);
  const auto begin = [&](int field, size_t length) {
    output.WriteTag(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    output.WriteVarint32(static_cast<uint32_t>(length));
  };
  begin(v1::StreamErrorsResponse::kEventsFieldNumber, size);
  begin(v1::BatchEvent::kBatchIdFieldNumber, batch.id.size());
  output.WriteString(batch.id);
  begin(v1::BatchEvent::kQueueFieldNumber, queue.size());
  output.WriteString(queue);
  begin(v1::BatchEvent::kEventFieldNumber, event_size);
  event.SerializeWithCachedSizes(&output);
  return bytes;
}

}  // namespace

bool ErrorFilter::Matches(const engine::BatchHeader& batch) const {
  if (!queue.empty() && queue != batch.spec.queue()) return false;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = batch.spec.labels().find(label.first);
    return found != batch.spec.labels().end() && found->second == label.second;
  });
}

ErrorQueue::Taken ErrorQueue::Take(int64_t bytes_max) {
  Taken taken;
  absl::MutexLock lock(&mutex_);
  taken.missed = missed_;
  int64_t bytes = 0;
  while (!events_.empty()) {
    const auto size = static_cast<int64_t>(events_.front()->size());
    if (bytes > 0 && bytes + size > bytes_max) break;
    bytes += size;
    taken.events.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  bytes_ -= bytes;
  awaited_ = taken.events.empty() && missed_ == 0;
  return taken;
}

void ErrorQueue::Put(std::shared_ptr<const std::string> event) {
  if (!Keep(std::move(event))) return;
  if (const auto reader = reader_.lock()) reader->ErrorsCame();
}

bool ErrorQueue::Keep(std::shared_ptr<const std::string> event) {
  absl::MutexLock lock(&mutex_);
  bytes_ += static_cast<int64_t>(event->size());
  if (missed_ > 0) {
    ++missed_;
  } else if (static_cast<int64_t>(events_.size()) >= engine::kErrorsBehindMax ||
             (bytes_ > engine::kErrorBytesBehindMax && !events_.empty())) {
    // The reader's stream ends: what waits for it would only cost memory until then.
    missed_ = static_cast<int64_t>(events_.size()) + 1;
    events_.clear();
  } else {
    events_.push_back(std::move(event));
  }
  return std::exchange(awaited_, false);
}

std::shared_ptr<ErrorQueue> ErrorChannel::Subscribe(ErrorFilter filter,
                                                    std::weak_ptr<ErrorReader> reader) {
  std::shared_ptr<ErrorQueue> queue(new ErrorQueue(std::move(filter), std::move(reader)),
                                    [this](ErrorQueue* gone) {
                                      reader_count_.fetch_sub(1);
                                      delete gone;
                                    });
  reader_count_.fetch_add(1);
  absl::MutexLock lock(&mutex_);
  queues_.push_back(queue);
  return queue;
}

engine::EventListener::Interest ErrorChannel::interest() const {
  return reader_count_.load(std::memory_order_relaxed) > 0 ? Interest::kFailures
                                                           : Interest::kNothing;
}

void ErrorChannel::Happened(const engine::BatchHeader& batch, const v1::Event& event,
                            bool failure) {
  if (!failure || interest() == Interest::kNothing) return;
  const auto queues = QueuesFor(batch);
  if (queues.empty()) return;
  const auto bytes = Serialize(batch, event);
  for (const auto& queue : queues) queue->Put(bytes);
}

std::vector<std::shared_ptr<ErrorQueue>> ErrorChannel::QueuesFor(const engine::BatchHeader& batch) {
  std::vector<std::shared_ptr<ErrorQueue>> found;
  absl::MutexLock lock(&mutex_);
  queues_.erase(std::remove_if(queues_.begin(), queues_.end(),
                               [](const auto& weak) { return weak.expired(); }),
                queues_.end());
  for (const auto& weak : queues_) {
    auto queue = weak.lock();
    if (queue && queue->filter().Matches(batch)) found.push_back(std::move(queue));
  }
  return found;
}

}  // namespace jobrunner::rpc
