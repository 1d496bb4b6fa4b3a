// A call of any method, of bytes.

#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

namespace jobrunner::rpc {

// One request, then answers, each step waited for. Cancelled when it is destroyed before its end.
class GenericCall {
 public:
  GenericCall(std::shared_ptr<grpc::Channel> channel, const std::string& method);
  ~GenericCall();
  GenericCall(const GenericCall&) = delete;
  GenericCall& operator=(const GenericCall&) = delete;

  // The only request.
  void Send(const std::string& bytes);
  // The next answer; nothing at the end.
  std::optional<std::string> Receive();
  grpc::Status Finish();
  void Cancel() { context_.TryCancel(); }

 private:
  // Whether the step that was begun went well.
  bool Await();

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool finished_ = false;
};

}  // namespace jobrunner::rpc
