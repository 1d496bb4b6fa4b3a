#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

constexpr char kNoBatch[] = "01890000-0000-7000-8000-000000000000";

class DeleteBatch : public OverEachStore {
 protected:
  grpc::Status Call(const std::string& id, bool allow_missing = false) {
    grpc::ClientContext context;
    v1::DeleteBatchRequest request;
    request.set_batch_id(id);
    request.set_allow_missing(allow_missing);
    v1::DeleteBatchResponse response;
    return served_.jobs().DeleteBatch(&context, request, &response);
  }
  grpc::Status Get(const std::string& id) {
    grpc::ClientContext context;
    v1::GetBatchRequest request;
    request.set_batch_id(id);
    v1::GetBatchResponse response;
    return served_.jobs().GetBatch(&context, request, &response);
  }
  grpc::Status Stream(const std::string& id) {
    grpc::ClientContext context;
    v1::StreamResultsRequest request;
    request.set_batch_id(id);
    const auto reader = served_.jobs().StreamResults(&context, request);
    EXPECT_TRUE(ReadAll(*reader, v1::StreamResultsResponse()).empty());
    return reader->Finish();
  }
  v1::Batch SubmitAs(const std::string& request_id) {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    request.set_request_id(request_id);
    *request.mutable_batch() = BatchOf(2, HandlerJob("echo"));
    v1::SubmitBatchResponse response;
    EXPECT_TRUE(served_.jobs().SubmitBatch(&context, request, &response).ok());
    return response.batch();
  }

  Served served_{OnStore()};
};

INSTANTIATE_TEST_SUITE_P(Stores, DeleteBatch, EachStore(), NameOfStore);

TEST_P(DeleteBatch, RemovesAFinishedBatchWithItsLog) {
  const std::string id = SubmitAs("").id();
  Results(served_, id);
  ASSERT_TRUE(Call(id).ok());
  for (const grpc::Status& status : {Get(id), Stream(id)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonIn(status), "BATCH_NOT_FOUND");
  }
}

TEST_P(DeleteBatch, RefusesABatchThatRuns) {
  const std::string id = Submit(served_, BatchOf(1, HandlerJob("hold"))).id();
  served_.gate().AwaitHeld(1);
  const grpc::Status status = Call(id, /*allow_missing=*/true);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonIn(status), "BATCH_RUNNING");
  EXPECT_TRUE(Get(id).ok());
}

TEST_P(DeleteBatch, MindsABatchThatIsNotThereUnlessItMayBeMissing) {
  const std::string removed = SubmitAs("").id();
  Results(served_, removed);
  ASSERT_TRUE(Call(removed).ok());
  for (const std::string& id : {removed, std::string(kNoBatch), std::string("nonsense")}) {
    EXPECT_EQ(Call(id).error_code(), grpc::StatusCode::NOT_FOUND) << id;
    EXPECT_TRUE(Call(id, /*allow_missing=*/true).ok()) << id;
  }
}

TEST_P(DeleteBatch, LeavesTheRequestAnswered) {
  const std::string id = SubmitAs("once").id();
  Results(served_, id);
  ASSERT_TRUE(Call(id).ok());
  const v1::Batch again = SubmitAs("once");
  EXPECT_EQ(again.id(), id);
  EXPECT_EQ(again.state(), v1::BATCH_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobrunner::rpc
