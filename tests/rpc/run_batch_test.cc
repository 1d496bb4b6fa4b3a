#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using ::testing::ElementsAre;
using ::testing::SizeIs;

v1::RunBatchRequest RequestOf(const v1::BatchSpec& spec, const std::string& request_id = "") {
  v1::RunBatchRequest request;
  request.set_request_id(request_id);
  *request.mutable_batch() = spec;
  return request;
}

class RunBatch : public OverEachStore {
 protected:
  // Starts a batch of `count` jobs that hold, and waits until the first of them does.
  std::unique_ptr<grpc::ClientReader<v1::RunBatchResponse>> Hold(v1::JobService::Stub& stub,
                                                                 grpc::ClientContext* context,
                                                                 int count = 1) {
    auto reader = stub.RunBatch(context, RequestOf(BatchOf(count, HandlerJob("hold"))));
    v1::RunBatchResponse response;
    EXPECT_TRUE(reader->Read(&response));
    batch_id_ = response.batch().id();
    served_.gate().AwaitHeld(1);
    return reader;
  }
  std::vector<v1::Reason> ReasonsOfEnd() {
    std::vector<v1::Reason> reasons;
    for (const v1::Event& event : Results(served_, batch_id_)) {
      if (event.has_result()) reasons.push_back(event.result().error().reason());
      if (event.has_batch_finished()) finished_ = event.batch_finished();
    }
    return reasons;
  }

  Served served_{OnStore()};
  std::string batch_id_;
  v1::BatchFinished finished_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RunBatch, EachStore(), NameOfStore);

TEST_P(RunBatch, BeginsWithTheBatchAndEndsWithItsEnd) {
  grpc::ClientContext context;
  v1::BatchSpec spec = BatchOf(1000, HandlerJob("echo", "x"));
  spec.set_name("n");
  const auto reader = served_.jobs().RunBatch(&context, RequestOf(spec));
  v1::RunBatchResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.batch().name(), "n");
  EXPECT_EQ(response.batch().counts().total(), 1000);
  std::vector<v1::Event> events(response.events().begin(), response.events().end());
  while (reader->Read(&response)) {
    EXPECT_FALSE(response.has_batch());
    events.insert(events.end(), response.events().begin(), response.events().end());
  }
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_THAT(events, SizeIs(1001));
  EXPECT_EQ(events.back().batch_finished().state(), v1::BATCH_STATE_SUCCEEDED);
}

TEST_P(RunBatch, ShowsTheBatchBeforeAnythingHappens) {
  grpc::ClientContext context;
  const auto reader = Hold(served_.jobs(), &context);
  EXPECT_NE(batch_id_, "");
  served_.gate().Open();
  EXPECT_THAT(ReadAll(*reader, v1::RunBatchResponse()), SizeIs(2));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_P(RunBatch, ShowsJobsThatFailAsEventsOfACallThatIsOk) {
  grpc::ClientContext context;
  const auto reader = served_.jobs().RunBatch(&context, RequestOf(BatchOf(1, HandlerJob("fail"))));
  const auto events = ReadAll(*reader, v1::RunBatchResponse());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(events.back().batch_finished().state(), v1::BATCH_STATE_FAILED);
}

TEST_P(RunBatch, CancelledByItsClientCancelsTheBatch) {
  grpc::ClientContext context;
  const auto reader = Hold(served_.jobs(), &context, 10);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  const auto reasons = ReasonsOfEnd();
  EXPECT_EQ(reasons, std::vector<v1::Reason>(10, v1::REASON_CLIENT_DISCONNECTED));
  EXPECT_EQ(finished_.state(), v1::BATCH_STATE_CANCELLED);
}

TEST_P(RunBatch, AConnectionLostCancelsTheBatch) {
  grpc::ClientContext context;
  auto stub = v1::JobService::NewStub(served_.Connect());
  auto reader = Hold(*stub, &context);
  // What a client's death does: the call and its connection go, and nobody says so.
  context.TryCancel();
  reader = nullptr;
  stub = nullptr;
  EXPECT_THAT(ReasonsOfEnd(), ElementsAre(v1::REASON_CLIENT_DISCONNECTED));
}

TEST_P(RunBatch, ItsDeadlineIsTheBatchs) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + milliseconds(300));
  const auto reader = Hold(served_.jobs(), &context);
  while (reader->Finish().error_code() == grpc::StatusCode::OK) {
  }
  EXPECT_THAT(ReasonsOfEnd(), ElementsAre(v1::REASON_CALL_DEADLINE));
  EXPECT_EQ(finished_.state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(finished_.error().code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_P(RunBatch, CanBeCancelledByOthers) {
  grpc::ClientContext context;
  const auto reader = Hold(served_.jobs(), &context);
  grpc::ClientContext cancel_context;
  v1::CancelRequest request;
  request.set_batch_id(batch_id_);
  v1::CancelResponse response;
  ASSERT_TRUE(served_.jobs().Cancel(&cancel_context, request, &response).ok());
  const auto events = ReadAll(*reader, v1::RunBatchResponse());
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().error().reason(), v1::REASON_CLIENT_CANCEL);
}

TEST_P(RunBatch, IsRefusedAsSubmitBatchIs) {
  grpc::ClientContext context;
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  spec.mutable_timeout();
  const auto reader = served_.jobs().RunBatch(&context, RequestOf(spec));
  v1::RunBatchResponse response;
  EXPECT_FALSE(reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.timeout"));
}

TEST_P(RunBatch, IsUnavailableWhileDraining) {
  served_.Drain(std::chrono::seconds(0));
  grpc::ClientContext context;
  const auto reader = served_.jobs().RunBatch(&context, RequestOf(BatchOf(1, HandlerJob("echo"))));
  EXPECT_EQ(ReasonIn(reader->Finish()), "DRAINING");
}

TEST_P(RunBatch, RepeatedReplaysTheLogAndOwnsNothing) {
  grpc::ClientContext context;
  const auto spec = BatchOf(1, HandlerJob("hold"));
  const auto owner = served_.jobs().RunBatch(&context, RequestOf(spec, "once"));
  v1::RunBatchResponse response;
  ASSERT_TRUE(owner->Read(&response));
  const std::string batch_id = response.batch().id();
  {
    grpc::ClientContext repeated_context;
    const auto repeated = served_.jobs().RunBatch(&repeated_context, RequestOf(spec, "once"));
    ASSERT_TRUE(repeated->Read(&response));
    EXPECT_EQ(response.batch().id(), batch_id);
    repeated_context.TryCancel();
    EXPECT_EQ(repeated->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  served_.gate().Open();
  const auto events = ReadAll(*owner, response);
  EXPECT_TRUE(owner->Finish().ok());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_P(RunBatch, OfAServerThatStopsIsUnavailable) {
  grpc::ClientContext context;
  const auto reader = Hold(served_.jobs(), &context);
  served_.server().Stop(std::chrono::seconds(10));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(status), "SERVER_STOPS");
  EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(status), SizeIs(1));
}

}  // namespace
}  // namespace jobrunner::rpc
