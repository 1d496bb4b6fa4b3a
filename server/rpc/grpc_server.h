// Speaks gRPC for the server.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rpc/service_parts.h"

namespace jobrunner::rpc {

// A client that is gone without a word is noticed within the sum of the two, also when nothing is
// being sent.
struct Keepalive {
  // How long a connection may be silent until the client is asked, and how long that may take it.
  std::chrono::milliseconds time{20'000};
  std::chrono::milliseconds timeout{10'000};
};

struct GrpcServerOptions {
  // "HOST:PORT" or "unix:PATH"; port 0 picks a free one.
  std::string listen;
  int64_t request_bytes_max = engine::kRequestBytesDefault;
  Keepalive keepalive = {};
};

// JobService, AdminService, WorkerService, grpc.health.v1.Health and reflection on one address.
// Health answers whatever the others do. Thread-safe but for Start.
//
//   GrpcServer server(options, parts);
//   server.Start();                  // the address
//   server.Drain();                  // health says NOT_SERVING, uploads end; all else as before
//   server.Stop(5s);
class GrpcServer {
 public:
  // What `parts` names outlives it; the engine runs, or replies never come.
  GrpcServer(GrpcServerOptions options, ServerParts parts);
  // Stops at once.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Listens and serves. The address with the port that was picked. UNAVAILABLE when it cannot
  // listen there.
  absl::StatusOr<std::string> Start();

  // Tells remote workers, and takes no new ones. Safe to call twice.
  void Drain();

  // Ends streams with UNAVAILABLE, waits up to `grace` for the calls that are being answered, cuts
  // off what is left then, and returns when nothing is served any more. Not from one of its own
  // threads. Safe to call twice.
  void Stop(std::chrono::nanoseconds grace);

  StreamStatistics streams() const;

 private:
  class Serving;
  const std::unique_ptr<Serving> serving_;
};

}  // namespace jobrunner::rpc
