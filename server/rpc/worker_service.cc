#include "rpc/worker_service.h"

#include <memory>

#include "rpc/worker_stream.h"

namespace jobrunner::rpc {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* WorkerService::Work(
    grpc::CallbackServerContext* /*context*/) {
  const auto stream = std::make_shared<WorkerStream>(
      WorkerStream::Parts{parts_.server.workers, &parts_.threads->worker_orders, parts_.calls});
  stream->Begin();
  stream->Serve();
  return stream.get();
}

}  // namespace jobrunner::rpc
