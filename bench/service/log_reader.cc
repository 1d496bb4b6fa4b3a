#include "bench/service/log_reader.h"

#include <grpcpp/support/slice.h>

#include "bench/service/calls.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::bench {
namespace {

grpc::ByteBuffer RequestFor(const std::string& batch_id) {
  v1::StreamResultsRequest request;
  request.set_batch_id(batch_id);
  request.set_follow(true);
  const grpc::Slice bytes(request.SerializeAsString());
  return grpc::ByteBuffer(&bytes, 1);
}

}  // namespace

LogReader::LogReader(const std::shared_ptr<grpc::Channel>& channel, const std::string& batch_id,
                     Pace pace)
    : stub_(channel), pace_(pace), request_(RequestFor(batch_id)) {
  stub_.PrepareBidiStreamingCall(&context_, "/jobrunner.v1.JobService/StreamResults", {}, this);
  // Until the last read has ended: reads are begun from other threads too.
  AddHold();
  StartWriteLast(&request_, grpc::WriteOptions());
  StartRead(&message_);
  StartCall();
}

void LogReader::ReadOn() {
  stalls_.WaitForNotification();
  pace_ = Pace::kFast;
  StartRead(&message_);
}

void LogReader::OnReadInitialMetadataDone(bool /*ok*/) { served_.Notify(); }

void LogReader::OnReadDone(bool ok) {
  if (!ok) return RemoveHold();
  bytes_ += static_cast<int64_t>(message_.Length());
  message_.Clear();
  switch (pace_.load()) {
    case Pace::kFast:
      return StartRead(&message_);
    case Pace::kSlow:
      return pause_.Set(std::chrono::system_clock::now() + kSlowPause,
                        [this](bool /*ok*/) { StartRead(&message_); });
    case Pace::kStalled:
      return stalls_.Notify();
  }
}

void LogReader::OnDone(const grpc::Status& status) {
  Expect(status);
  ended_.Notify();
}

}  // namespace jobrunner::bench
