#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::system_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class SubmitBatch : public OverEachStore {
 protected:
  grpc::Status Call(const v1::SubmitBatchRequest& request,
                    system_clock::time_point deadline = system_clock::time_point::max()) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    return served_.jobs().SubmitBatch(&context, request, &response_);
  }
  grpc::Status CallWith(const v1::BatchSpec& spec, const std::string& request_id = "") {
    v1::SubmitBatchRequest request;
    request.set_request_id(request_id);
    *request.mutable_batch() = spec;
    return Call(request);
  }

  static ServedOptions WithASmallQueue() {
    ServedOptions options;
    options.queues.emplace_back().name = "small";
    options.queues.back().max_queued = 2;
    return options;
  }

  Served served_{OnStore(WithASmallQueue())};
  v1::SubmitBatchResponse response_;
};

INSTANTIATE_TEST_SUITE_P(Stores, SubmitBatch, EachStore(), NameOfStore);

TEST_P(SubmitBatch, AnswersWithTheBatch) {
  v1::BatchSpec spec = BatchOf(3, HandlerJob("echo", "hi"));
  spec.set_name("three");
  ASSERT_TRUE(CallWith(spec).ok());
  EXPECT_EQ(response_.batch().name(), "three");
  EXPECT_EQ(response_.batch().queue(), "default");
  EXPECT_EQ(response_.batch().counts().total(), 3);
  EXPECT_THAT(Results(served_, response_.batch().id()), SizeIs(4));
}

TEST_P(SubmitBatch, TakesLargeBatches) {
  // More than is read on gRPC's own threads, and many HTTP/2 frames.
  const v1::BatchSpec spec = BatchOf(5000, HandlerJob("echo", std::string(400, 'x')));
  ASSERT_TRUE(CallWith(spec).ok());
  const auto events = Results(served_, response_.batch().id());
  ASSERT_THAT(events, SizeIs(5001));
  for (int64_t i = 0; i < 5001; ++i) ASSERT_EQ(events[i].sequence(), i + 1);
}

TEST_P(SubmitBatch, NamesEveryFieldThatIsWrong) {
  v1::BatchSpec spec = BatchOf(20, HandlerJob("echo"));
  spec.set_priority(1000);
  spec.mutable_jobs(17)->mutable_options()->mutable_timeout()->set_seconds(-1);
  const grpc::Status status = CallWith(spec);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "INVALID_ARGUMENT");
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.jobs[17].options.timeout", "batch.priority"));
  EXPECT_THAT(status.error_message(), HasSubstr("batch.jobs[17].options.timeout: must be more"));
  EXPECT_THAT(status.error_message(), HasSubstr("(and 1 more)"));
}

TEST_P(SubmitBatch, KeepsDetailsOfAThousandErrorsSmall) {
  v1::Job job = HandlerJob("echo");
  for (int i = 0; i < 3; ++i)
    job.mutable_options()->mutable_retry_policy()->add_retryable_codes(99);
  const grpc::Status status = CallWith(BatchOf(1000, job));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LE(status.error_details().size(), 4096u);
  EXPECT_THAT(FieldsIn(status), SizeIs(16));
  EXPECT_THAT(status.error_message(), HasSubstr("(and 3999 more)"));
}

TEST_P(SubmitBatch, RefusesABatchWithoutJobs) {
  const grpc::Status status = Call(v1::SubmitBatchRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.jobs"));
}

TEST_P(SubmitBatch, RefusesABatchWithTooManyJobs) {
  EXPECT_THAT(FieldsIn(CallWith(BatchOf(10'001, HandlerJob("echo")))), ElementsAre("batch.jobs"));
}

TEST_P(SubmitBatch, DeniesCommandsThatAreNotAllowed) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  spec.add_jobs()->mutable_command()->add_argv("/bin/true");
  const grpc::Status status = CallWith(spec);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.jobs[1].command.argv[0]"));
}

TEST_P(SubmitBatch, NamesTheQueueThatIsUnknown) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  spec.set_queue("nowhere");
  const grpc::Status status = CallWith(spec);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "UNKNOWN_QUEUE");
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.queue"));
}

TEST_P(SubmitBatch, SaysWhenToComeAgainToAFullQueue) {
  v1::Job job = HandlerJob("echo");
  job.mutable_options()->mutable_delay()->set_seconds(3600);
  v1::BatchSpec spec = BatchOf(2, job);
  spec.set_queue("small");
  ASSERT_TRUE(CallWith(spec).ok());
  const grpc::Status status = CallWith(spec);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "QUEUE_FULL");
  const auto retries = DetailsOfKind<google::rpc::RetryInfo>(status);
  ASSERT_THAT(retries, SizeIs(1));
  EXPECT_EQ(retries[0].retry_delay().seconds(), 1);
}

TEST_P(SubmitBatch, IsUnavailableWhileDraining) {
  served_.Drain(std::chrono::seconds(0));
  const grpc::Status status = CallWith(BatchOf(1, HandlerJob("echo")));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(status), "DRAINING");
  EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(status), SizeIs(1));
}

TEST_P(SubmitBatch, AnswersARequestIdWithTheBatchItHas) {
  v1::BatchSpec spec = BatchOf(300, HandlerJob("echo"));
  for (int i = 0; i < 50; ++i) (*spec.mutable_labels())["l" + std::to_string(i)] = "v";
  ASSERT_TRUE(CallWith(spec, "once").ok());
  const std::string id = response_.batch().id();
  v1::BatchSpec same = BatchOf(300, HandlerJob("echo"));
  for (int i = 49; i >= 0; --i) (*same.mutable_labels())["l" + std::to_string(i)] = "v";
  ASSERT_TRUE(CallWith(same, "once").ok());
  EXPECT_EQ(response_.batch().id(), id);
}

TEST_P(SubmitBatch, RefusesARequestIdOfAnotherBatch) {
  ASSERT_TRUE(CallWith(BatchOf(300, HandlerJob("echo")), "once").ok());
  v1::BatchSpec other = BatchOf(300, HandlerJob("echo"));
  other.mutable_jobs(299)->set_key("k");
  const grpc::Status status = CallWith(other, "once");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(ReasonIn(status), "REQUEST_ID_REUSED");
}

TEST_P(SubmitBatch, RequestIdsHaveAtMost128Bytes) {
  EXPECT_TRUE(CallWith(BatchOf(1, HandlerJob("echo")), std::string(128, 'x')).ok());
  EXPECT_THAT(FieldsIn(CallWith(BatchOf(1, HandlerJob("echo")), std::string(129, 'x'))),
              ElementsAre("request_id"));
}

TEST_P(SubmitBatch, MayMakeTheCallsDeadlineTheBatchs) {
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = BatchOf(1, HandlerJob("hold"));
  request.mutable_batch()->set_lifetime(v1::LIFETIME_CALL_DEADLINE);
  ASSERT_TRUE(Call(request, system_clock::now() + std::chrono::milliseconds(500)).ok());
  EXPECT_TRUE(response_.batch().has_deadline());
  const auto events = Results(served_, response_.batch().id());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().error().reason(), v1::REASON_CALL_DEADLINE);
  EXPECT_EQ(events[1].batch_finished().state(), v1::BATCH_STATE_CANCELLED);
}

TEST_P(SubmitBatch, NeedsADeadlineToTakeIt) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  spec.set_lifetime(v1::LIFETIME_CALL_DEADLINE);
  const grpc::Status status = CallWith(spec);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.lifetime"));
}

}  // namespace
}  // namespace jobrunner::rpc
