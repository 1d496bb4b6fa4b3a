// bare_server: gRPC in, one deciding thread, one working thread, events serialized and streamed
// out. No scheduling, no retries, no deadlines, no cancellation: the ceiling for a service with
// this shape on this machine, to be run beside it. With a directory it stores jobs and events in
// RocksDB, and waits until they are stable; without, nothing.
//
// usage: bare_server [DIRECTORY]; prints "bare_server: serving on ADDRESS"; ends with its standard
// input.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bare.grpc.pb.h"
#include "bench/bare/log_store.h"
#include "bench/bare/pipeline.h"
#include "bench/bare/run_stream.h"

namespace jobrunner::bench {
namespace {

using WithRawRun = Bare::WithRawCallbackMethod_Run<Bare::WithCallbackMethod_Echo<Bare::Service>>;

class BareService final : public WithRawRun {
 public:
  explicit BareService(std::unique_ptr<LogStore> store)
      : durable_(store != nullptr), pipeline_(std::move(store)) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Run(grpc::CallbackServerContext*,
                                                  const grpc::ByteBuffer* request) override {
    auto submitted = std::make_unique<Submitted>();
    grpc::ByteBuffer bytes(*request);
    grpc::ProtoBufferReader reader(&bytes);
    submitted->batch->ParseFromZeroCopyStream(&reader);
    if (durable_) Copy(*request, &submitted->bytes);
    Submitted* borrowed = submitted.get();
    auto* stream = new RunStream(std::move(submitted));
    borrowed->stream = stream;
    pipeline_.Submit(borrowed);
    return stream;
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const Job* request,
                                 Job* response) override {
    *response = *request;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  static void Copy(const grpc::ByteBuffer& from, std::string* to) {
    std::vector<grpc::Slice> slices;
    from.Dump(&slices);
    for (const grpc::Slice& slice : slices) {
      to->append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }

  const bool durable_;
  Pipeline pipeline_;
};

int Serve(std::unique_ptr<LogStore> store) {
  BareService service(std::move(store));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("bare_server: serving on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace jobrunner::bench

int main(int argc, char** argv) {
  using namespace jobrunner::bench;
  return Serve(argc > 1 ? std::make_unique<LogStore>(argv[1]) : nullptr);
}
