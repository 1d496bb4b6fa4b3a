#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "client/library/call_error.h"
#include "client/library/message_stream.h"
#include "client/library/unary_call.h"

namespace jobrunner::client {

// A streaming call of a stub, which outlives it. Ended early, it is cancelled.
template <typename Response>
class GrpcStream final : public MessageStream<Response> {
 public:
  template <typename Stub, typename Method, typename Request>
  GrpcStream(Stub& stub, Method method, const Request& request, absl::Duration timeout)
      : context_(timeout),
        begin_([this, &stub, method, request] { return (stub.*method)(context_.get(), request); }) {
  }

  ~GrpcStream() override {
    context_.get()->TryCancel();
    if (reader_ != nullptr && !finished_) reader_->Finish();
  }

  void Begin() override {
    if (reader_ == nullptr) reader_ = begin_();
  }

  bool Read(Response* response) override {
    Begin();
    return reader_->Read(response);
  }

  absl::Status Finish() override {
    finished_ = true;
    return FromGrpc(reader_->Finish());
  }

  void Cancel() override { context_.get()->TryCancel(); }

 private:
  BoundedContext context_;
  const std::function<std::unique_ptr<grpc::ClientReader<Response>>()> begin_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
  bool finished_ = false;
};

}  // namespace jobrunner::client
