// bare_server: gRPC in, one deciding thread, one working thread, events serialized and streamed
// out. No scheduling, no retries, no deadlines, no cancellation, no store: the ceiling for a
// service with this shape on this machine, to be run beside it.
//
// usage: bare_server; prints "bare_server: serving on ADDRESS"; ends with its standard input.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "bare.grpc.pb.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/io/coded_stream.h"

namespace jobrunner::bench {
namespace {

using google::protobuf::Arena;
using google::protobuf::io::CodedOutputStream;

constexpr int kJobsPerStep = 256;

class RunStream;

struct Submitted {
  Arena arena;
  Batch* batch = Arena::CreateMessage<Batch>(&arena);
  RunStream* stream = nullptr;
  int done = 0;
};

// One call of Run: what is published is written, one message at a time.
class RunStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RunStream(std::unique_ptr<Submitted> submitted) : submitted_(std::move(submitted)) {}

  void Publish(std::string bytes, bool last) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(bytes));
    last_ |= last;
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok) {
      WriteNext();
    } else if (!finished_) {
      finished_ = true;
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (writing_ || finished_) return;
    if (!waiting_.empty()) {
      grpc::Slice slice(waiting_.front().data(), waiting_.front().size());
      waiting_.pop_front();
      message_ = grpc::ByteBuffer(&slice, 1);
      writing_ = true;
      StartWrite(&message_);
    } else if (last_) {
      finished_ = true;
      Finish(grpc::Status::OK);
    }
  }

  const std::unique_ptr<Submitted> submitted_;
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  grpc::ByteBuffer message_;
  bool writing_ = false;
  bool last_ = false;
  bool finished_ = false;
};

struct Done {
  Submitted* submitted;
  int begin;
  int end;
};

using Told = std::variant<Submitted*, Done>;

class Pipeline {
 public:
  Pipeline() : decider_([this] { Decide(); }), worker_([this] { Work(); }) {}
  ~Pipeline() {
    told_.Close();
    decider_.join();
    work_.Close();
    worker_.join();
  }

  void Submit(Submitted* submitted) { told_.Put(submitted); }

 private:
  void Decide() {
    std::vector<Told> told;
    while (told_.Take(&told)) {
      for (Told& one : told) {
        if (auto* submitted = std::get_if<Submitted*>(&one)) {
          work_.Put(*submitted);
        } else {
          Publish(std::get<Done>(one));
        }
      }
    }
  }

  void Work() {
    std::vector<Submitted*> batches;
    while (work_.Take(&batches)) {
      for (Submitted* submitted : batches) {
        const int count = submitted->batch->jobs_size();
        for (int begin = 0; begin < count; begin += kJobsPerStep) {
          told_.Put(Done{submitted, begin, std::min(count, begin + kJobsPerStep)});
        }
      }
    }
  }

  void Publish(const Done& done) {
    std::string bytes;
    const int64_t now =
        std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
    for (int i = done.begin; i < done.end; ++i) {
      const Job& job = done.submitted->batch->jobs(i);
      event_.Clear();
      event_.set_sequence(++done.submitted->done);
      event_.mutable_time()->set_seconds(now / 1'000'000'000);
      event_.mutable_time()->set_nanos(static_cast<int>(now % 1'000'000'000));
      event_.set_job_index(i);
      event_.set_job_key(job.key());
      Result& result = *event_.mutable_result();
      result.set_state(3);
      result.set_attempts(1);
      result.set_output(job.handler().payload());
      result.mutable_run_time()->set_nanos(1000);
      result.set_worker("worker 1");
      Append(event_, &bytes);
    }
    const bool last = done.submitted->done == done.submitted->batch->jobs_size();
    done.submitted->stream->Publish(std::move(bytes), last);
  }

  static void Append(const Event& event, std::string* bytes) {
    char header[16];
    auto* end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(event.ByteSizeLong()),
                                                        reinterpret_cast<uint8_t*>(header) + 1);
    header[0] = 0x0A;
    bytes->append(header, reinterpret_cast<char*>(end) - header);
    event.AppendToString(bytes);
  }

  base::Mailbox<Told> told_;
  base::Mailbox<Submitted*> work_;
  Event event_;
  std::thread decider_;
  std::thread worker_;
};

using WithRawRun = Bare::WithRawCallbackMethod_Run<Bare::WithCallbackMethod_Echo<Bare::Service>>;

class BareService final : public WithRawRun {
 public:
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Run(grpc::CallbackServerContext*,
                                                  const grpc::ByteBuffer* request) override {
    auto submitted = std::make_unique<Submitted>();
    grpc::ByteBuffer bytes(*request);
    grpc::ProtoBufferReader reader(&bytes);
    submitted->batch->ParseFromZeroCopyStream(&reader);
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
  Pipeline pipeline_;
};

int Serve() {
  BareService service;
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

int main() { return jobrunner::bench::Serve(); }
