// What the end of the server means to calls that are being served.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using testing::SizeIs;

class ServerStop : public OverEachStore {
 protected:
  using Reader = grpc::ClientReader<v1::StreamResultsResponse>;

  std::unique_ptr<Reader> Follow(grpc::ClientContext* context, const std::string& batch_id) {
    v1::StreamResultsRequest request;
    request.set_batch_id(batch_id);
    request.set_follow(true);
    return served_.jobs().StreamResults(context, request);
  }

  // Begins to stop the server; returns once it ends streams.
  void BeginStop() {
    grpc::ClientContext context;
    auto errors = served_.jobs().StreamErrors(&context, v1::StreamErrorsRequest());
    errors->WaitForInitialMetadata();
    stopping_ = std::thread([this] { served_.server().Stop(std::chrono::hours(1)); });
    v1::StreamErrorsResponse none;
    EXPECT_FALSE(errors->Read(&none));
    EXPECT_EQ(errors->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }

  void TearDown() override {
    if (stopping_.joinable()) stopping_.join();
  }

  Served served_{OnStore()};
  std::thread stopping_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ServerStop, EachStore(), NameOfStore);

TEST_P(ServerStop, AReaderGetsTheRestOfALogThatIsComplete) {
  // More than gRPC takes in before the reader reads.
  constexpr int kJobs = 100;
  const std::string id =
      Submit(served_, BatchOf(kJobs, HandlerJob("echo", std::string(300 << 10, 'x')))).id();
  EXPECT_THAT(Results(served_, id), SizeIs(kJobs + 1));
  grpc::ClientContext context;
  const auto reader = Follow(&context, id);
  reader->WaitForInitialMetadata();
  BeginStop();
  EXPECT_THAT(ReadAll(*reader, v1::StreamResultsResponse()), SizeIs(kJobs + 1));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_P(ServerStop, AReaderThatWaitsForMoreGetsUnavailable) {
  const std::string id = Submit(served_, BatchOf(1, HandlerJob("hold"))).id();
  served_.gate().AwaitHeld(1);
  grpc::ClientContext context;
  const auto reader = Follow(&context, id);
  reader->WaitForInitialMetadata();
  BeginStop();
  EXPECT_THAT(ReadAll(*reader, v1::StreamResultsResponse()), SizeIs(0));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(status), SizeIs(1));
}

}  // namespace
}  // namespace jobrunner::rpc
