#pragma once

#include <grpcpp/client_context.h>

#include <chrono>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/library/call_error.h"

namespace jobrunner::client {

// The context of one call with a deadline; none for an infinite timeout.
class BoundedContext {
 public:
  explicit BoundedContext(absl::Duration timeout) {
    if (timeout == absl::InfiniteDuration()) return;
    context_.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  }

  grpc::ClientContext* get() { return &context_; }

 private:
  grpc::ClientContext context_;
};

// One unary call of `stub`'s `method`. Blocks until the answer. Errors are those of FromGrpc.
template <typename Response, typename Stub, typename Method, typename Request>
absl::StatusOr<Response> UnaryCall(Stub& stub, Method method, const Request& request,
                                   absl::Duration timeout) {
  BoundedContext context(timeout);
  Response response;
  const grpc::Status status = (stub.*method)(context.get(), request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

}  // namespace jobrunner::client
