#include "rpc/error_stream.h"

#include <grpcpp/support/slice.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"
#include "engine/refusal.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

absl::Status TooSlow(int64_t missed) {
  absl::Status status = engine::Refuse(absl::StatusCode::kResourceExhausted, "READER_TOO_SLOW",
                                       absl::StrCat("the reader is too slow: ", missed,
                                                    " errors were not sent; they stand in the "
                                                    "logs of their batches"));
  SetMetadata(&status, "missed", absl::StrCat(missed));
  return status;
}

grpc::ByteBuffer MessageOf(const std::vector<std::shared_ptr<const std::string>>& events) {
  using Holder = std::shared_ptr<const std::string>;
  std::vector<grpc::Slice> slices;
  slices.reserve(events.size());
  for (const Holder& event : events) {
    slices.emplace_back(
        const_cast<char*>(event->data()), event->size(),
        [](void* holder) { delete static_cast<Holder*>(holder); }, new Holder(event));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

void ErrorStream::Listen(ErrorFilter filter) {
  queue_ = channel_->Subscribe(std::move(filter),
                               std::static_pointer_cast<ErrorStream>(shared_from_this()));
  SendHeaders();
  Send();
}

void ErrorStream::ErrorsCame() {
  dispatcher_->Post(
      [stream = std::static_pointer_cast<ErrorStream>(shared_from_this())] { stream->Send(); });
}

void ErrorStream::WriteDone() { Send(); }

void ErrorStream::Send() {
  const ErrorQueue::Taken taken = queue_->Take(engine::kMessageBytesMax);
  if (taken.missed > 0) {
    End(TooSlow(taken.missed));
  } else if (!taken.events.empty()) {
    Write(MessageOf(taken.events));
  }
}

}  // namespace jobrunner::rpc
