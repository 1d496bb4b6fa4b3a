// A batch is accepted whole, or leaves nothing behind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// More than three shards.
constexpr int kJobs = 1000;

class AllOrNothing : public OverEachStore {
 protected:
  ServedOptions WithSmallRequests() {
    ServedOptions options = OnStore();
    options.request_bytes_max = 1 << 20;
    return options;
  }
  grpc::Status SubmitSpec(const v1::BatchSpec& spec) {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    *request.mutable_batch() = spec;
    v1::SubmitBatchResponse response;
    return served_.jobs().SubmitBatch(&context, request, &response);
  }
  void ExpectNothingThere() {
    grpc::ClientContext list_context;
    v1::ListBatchesResponse batches;
    EXPECT_TRUE(served_.jobs().ListBatches(&list_context, v1::ListBatchesRequest(), &batches).ok());
    EXPECT_THAT(batches.batches(), IsEmpty());
    grpc::ClientContext context;
    v1::GetStatisticsResponse statistics;
    EXPECT_TRUE(
        served_.admin().GetStatistics(&context, v1::GetStatisticsRequest(), &statistics).ok());
    EXPECT_EQ(statistics.jobs_accepted(), 0);
    EXPECT_EQ(statistics.attempts_started(), 0);
  }

  Served served_{WithSmallRequests()};
};

INSTANTIATE_TEST_SUITE_P(Stores, AllOrNothing, EachStore(), NameOfStore);

TEST_P(AllOrNothing, AnInvalidJobAnywhereIsNamedAndTheBatchIsRefused) {
  // First and last, and on both sides of the shards' borders.
  for (const int wrong : {0, 1, 255, 256, 511, 512, 998, kJobs - 1}) {
    v1::BatchSpec spec = BatchOf(kJobs, HandlerJob("echo"));
    *spec.mutable_jobs(wrong) = HandlerJob("");
    const grpc::Status status = SubmitSpec(spec);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(FieldsIn(status),
                ElementsAre("batch.jobs[" + std::to_string(wrong) + "].handler.name"));
  }
  ExpectNothingThere();
}

TEST_P(AllOrNothing, EveryInvalidJobIsNamed) {
  v1::BatchSpec spec = BatchOf(kJobs, HandlerJob("echo"));
  for (const int wrong : {3, 300, 900}) *spec.mutable_jobs(wrong) = HandlerJob("");
  EXPECT_THAT(FieldsIn(SubmitSpec(spec)),
              ElementsAre("batch.jobs[3].handler.name", "batch.jobs[300].handler.name",
                          "batch.jobs[900].handler.name"));
  ExpectNothingThere();
}

TEST_P(AllOrNothing, ARequestThatIsTooLargeIsRefused) {
  EXPECT_EQ(SubmitSpec(BatchOf(20, HandlerJob("echo", std::string(100'000, 'x')))).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectNothingThere();
  EXPECT_TRUE(SubmitSpec(BatchOf(10, HandlerJob("echo", std::string(100'000, 'x')))).ok());
}

}  // namespace
}  // namespace jobrunner::rpc
