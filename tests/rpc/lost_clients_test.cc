// Clients that go without a word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "rpc/served.h"
#include "rpc/tcp_proxy.h"
#include "support/rounds.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::SizeIs;

int64_t CountIn(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory),
                       std::filesystem::directory_iterator());
}

class LostClients : public ::testing::Test {
 protected:
  using Results = grpc::ClientReader<v1::StreamResultsResponse>;

  static ServedOptions WithAQuickKeepalive() {
    ServedOptions options;
    options.keepalive = {.time = milliseconds(100), .timeout = milliseconds(100)};
    return options;
  }
  // A client of its own, through the proxy.
  std::unique_ptr<v1::JobService::Stub> Client() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::JobService::NewStub(
        grpc::CreateCustomChannel(proxy_.address(), grpc::InsecureChannelCredentials(), arguments));
  }
  static std::unique_ptr<Results> Follow(v1::JobService::Stub& stub, grpc::ClientContext* context,
                                         const std::string& batch_id) {
    v1::StreamResultsRequest request;
    request.set_batch_id(batch_id);
    request.set_follow(true);
    auto reader = stub.StreamResults(context, request);
    reader->WaitForInitialMetadata();
    return reader;
  }
  int64_t streams() { return served_.server().streams().events; }
  // Nothing tells when the server has let a stream go; if it never did, this would not end.
  void AwaitStreams(int64_t count) {
    while (streams() != count) std::this_thread::yield();
  }
  std::string HeldBatch() {
    std::string id = Submit(served_, BatchOf(1, HandlerJob("hold"))).id();
    served_.gate().AwaitHeld(++held_);
    return id;
  }

  Served served_{WithAQuickKeepalive()};
  TcpProxy proxy_{served_.address()};
  int held_ = 0;
};

TEST_F(LostClients, AReaderWhoseConnectionIsResetIsLetGoAndTheJobsGoOn) {
  const std::string batch = HeldBatch();
  grpc::ClientContext context;
  const auto stub = Client();
  const auto reader = Follow(*stub, &context, batch);
  EXPECT_EQ(streams(), 1);
  EXPECT_EQ(proxy_.Reset(), 1);
  AwaitStreams(0);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  served_.gate().Open();
  const auto events = rpc::Results(served_, batch);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(LostClients, AReaderThatNoLongerAnswersIsLetGoAfterTheKeepalive) {
  const std::string batch = HeldBatch();
  grpc::ClientContext context;
  const auto stub = Client();
  const auto reader = Follow(*stub, &context, batch);
  EXPECT_EQ(streams(), 1);
  EXPECT_EQ(proxy_.Freeze(), 1);
  AwaitStreams(0);
  served_.gate().Open();
  EXPECT_THAT(rpc::Results(served_, batch), SizeIs(2));
  context.TryCancel();
  reader->Finish();
}

TEST_F(LostClients, AReaderThatNoLongerAnswersIsLetGoAmidAMessage) {
  // More than all buffers between hold.
  const std::string batch =
      Submit(served_, BatchOf(200, HandlerJob("echo", std::string(200'000, 'x')))).id();
  rpc::Results(served_, batch);
  grpc::ClientContext context;
  const auto stub = Client();
  const auto reader = Follow(*stub, &context, batch);
  EXPECT_EQ(proxy_.Freeze(), 1);
  AwaitStreams(0);
  context.TryCancel();
  reader->Finish();
}

TEST_F(LostClients, ARunBatchCallThatIsLostCancelsItsBatch) {
  for (const bool reset : {true, false}) {
    grpc::ClientContext context;
    const auto stub = Client();
    v1::RunBatchRequest request;
    *request.mutable_batch() = BatchOf(1, HandlerJob("hold"));
    const auto reader = stub->RunBatch(&context, request);
    v1::RunBatchResponse response;
    ASSERT_TRUE(reader->Read(&response));
    served_.gate().AwaitHeld(++held_);
    EXPECT_EQ(reset ? proxy_.Reset() : proxy_.Freeze(), 1);
    const auto events = rpc::Results(served_, response.batch().id());
    ASSERT_THAT(events, SizeIs(2));
    EXPECT_EQ(events[0].result().error().reason(), v1::REASON_CLIENT_DISCONNECTED);
    context.TryCancel();
    reader->Finish();
  }
}

TEST_F(LostClients, LeaveNothingBehindHoweverManyThereAre) {
  const std::string batch = HeldBatch();
  const auto lose_one = [&] {
    grpc::ClientContext context;
    const auto stub = Client();
    const auto reader = Follow(*stub, &context, batch);
    EXPECT_EQ(proxy_.Reset(), 1);
    reader->Finish();
  };
  // gRPC makes its threads with the first connections.
  for (int i = 0; i < 20; ++i) lose_one();
  AwaitStreams(0);
  const int64_t descriptors = CountIn("/proc/self/fd");
  const int64_t threads = CountIn("/proc/self/task");
  for (int i = 0; i < test::Rounds(200); ++i) lose_one();
  AwaitStreams(0);
  // Those of the last connections may be about to close.
  EXPECT_LT(CountIn("/proc/self/fd"), descriptors + 10);
  EXPECT_LT(CountIn("/proc/self/task"), threads + 10);
}

}  // namespace
}  // namespace jobrunner::rpc
