#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RetryJobs : public OverEachStore {
 protected:
  grpc::Status Call(const v1::RetryJobsRequest& request) {
    grpc::ClientContext context;
    return served_.jobs().RetryJobs(&context, request, &response_);
  }
  static v1::RetryJobsRequest RequestFor(const std::string& id,
                                         const std::vector<int32_t>& indexes = {}) {
    v1::RetryJobsRequest request;
    request.set_batch_id(id);
    request.mutable_job_indexes()->Add(indexes.begin(), indexes.end());
    return request;
  }
  // Four shards, of which jobs 7 and 900 fail.
  v1::Batch SubmitSome() {
    v1::BatchSpec spec = BatchOf(1000, HandlerJob("echo"));
    for (const int index : {7, 900}) {
      *spec.mutable_jobs(index) = HandlerJob("fail");
      spec.mutable_jobs(index)->set_key("job " + std::to_string(index));
    }
    spec.set_name("some fail");
    (*spec.mutable_labels())["team"] = "red";
    spec.set_max_parallelism(1);
    return Submit(served_, spec);
  }
  // A finished one.
  std::string Finished() {
    std::string id = SubmitSome().id();
    Results(served_, id);
    return id;
  }
  // The keys of the jobs of the batch that was made, in the order of their indexes.
  std::vector<std::string> Keys() {
    grpc::ClientContext context;
    v1::ListJobsRequest request;
    request.set_batch_id(response_.batch().id());
    v1::ListJobsResponse jobs;
    EXPECT_TRUE(served_.jobs().ListJobs(&context, request, &jobs).ok());
    std::vector<std::string> keys;
    for (const v1::JobStatus& job : jobs.jobs()) keys.push_back(job.key());
    return keys;
  }

  Served served_{OnStore()};
  v1::RetryJobsResponse response_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RetryJobs, EachStore(), NameOfStore);

TEST_P(RetryJobs, RunsWhatFailedAgainAsANewBatch) {
  const std::string parent = Finished();
  ASSERT_TRUE(Call(RequestFor(parent)).ok());
  const v1::Batch& batch = response_.batch();
  EXPECT_NE(batch.id(), parent);
  EXPECT_EQ(batch.parent_id(), parent);
  EXPECT_EQ(batch.name(), "some fail");
  EXPECT_EQ(batch.labels().at("team"), "red");
  EXPECT_EQ(batch.counts().total(), 2);
  EXPECT_THAT(Keys(), ElementsAre("job 7", "job 900"));
  const auto events = Results(served_, batch.id());
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[2].batch_finished().failed(), 2);
}

TEST_P(RetryJobs, RunsCancelledJobsAgain) {
  const v1::Batch held = Submit(served_, BatchOf(3, HandlerJob("hold")));
  grpc::ClientContext context;
  v1::CancelRequest cancel;
  cancel.set_batch_id(held.id());
  v1::CancelResponse cancelled;
  ASSERT_TRUE(served_.jobs().Cancel(&context, cancel, &cancelled).ok());
  Results(served_, held.id());
  served_.gate().Open();
  ASSERT_TRUE(Call(RequestFor(held.id())).ok());
  EXPECT_EQ(Results(served_, response_.batch().id()).back().batch_finished().succeeded(), 3);
}

TEST_P(RetryJobs, RunsTheJobsThatAreNamedOnceEach) {
  const std::string parent = Finished();
  ASSERT_TRUE(Call(RequestFor(parent, {900, 900})).ok());
  EXPECT_THAT(Keys(), ElementsAre("job 900"));
}

TEST_P(RetryJobs, RunsElementsOfAnArrayAgainAsTheJobsThatTheyWere) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("fail", "number {index}"));
  spec.mutable_jobs(0)->set_key("a");
  spec.mutable_jobs(0)->set_count(600);
  const v1::Batch batch = Submit(served_, spec);
  Results(served_, batch.id());
  ASSERT_TRUE(Call(RequestFor(batch.id(), {0, 599})).ok());
  EXPECT_THAT(Keys(), ElementsAre("a[0]", "a[599]"));
  const auto events = Results(served_, response_.batch().id());
  ASSERT_THAT(events, SizeIs(3));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(events[i].result().error().message(),
              events[i].job_index() == 0 ? "number 0" : "number 599");
  }
}

TEST_P(RetryJobs, CanBeRetriedAgain) {
  ASSERT_TRUE(Call(RequestFor(Finished())).ok());
  const std::string parent = response_.batch().id();
  Results(served_, parent);
  ASSERT_TRUE(Call(RequestFor(parent, {1})).ok());
  EXPECT_EQ(response_.batch().parent_id(), parent);
  EXPECT_THAT(Keys(), ElementsAre("job 900"));
}

TEST_P(RetryJobs, AnswersARequestIdWithTheBatchItMade) {
  v1::RetryJobsRequest request = RequestFor(Finished());
  request.set_request_id("again");
  ASSERT_TRUE(Call(request).ok());
  const std::string id = response_.batch().id();
  ASSERT_TRUE(Call(request).ok());
  EXPECT_EQ(response_.batch().id(), id);
  request.add_job_indexes(7);
  EXPECT_EQ(ReasonIn(Call(request)), "REQUEST_ID_REUSED");
}

TEST_P(RetryJobs, RefusesWhatCannotRunAgain) {
  const v1::Batch held = Submit(served_, BatchOf(1, HandlerJob("hold")));
  served_.gate().AwaitHeld(1);
  grpc::Status status = Call(RequestFor(held.id()));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonIn(status), "BATCH_RUNNING");

  const std::string parent = Finished();
  status = Call(RequestFor(parent, {7, 8}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonIn(status), "JOB_SUCCEEDED");
  EXPECT_THAT(status.error_message(), HasSubstr("job_indexes[1]"));

  const v1::Batch good = Submit(served_, BatchOf(1, HandlerJob("echo")));
  Results(served_, good.id());
  EXPECT_EQ(ReasonIn(Call(RequestFor(good.id()))), "NOTHING_TO_RETRY");
}

TEST_P(RetryJobs, NamesWhatIsWrong) {
  const std::string parent = Finished();
  EXPECT_THAT(FieldsIn(Call(RequestFor(parent, {7, 1000}))), ElementsAre("job_indexes[1]"));
  EXPECT_THAT(FieldsIn(Call(RequestFor(parent, {-1}))), ElementsAre("job_indexes[0]"));
  EXPECT_THAT(FieldsIn(Call(RequestFor(parent, std::vector<int32_t>(10'001, 7)))),
              ElementsAre("job_indexes"));
  v1::RetryJobsRequest request = RequestFor(parent);
  request.set_request_id(std::string(129, 'x'));
  EXPECT_THAT(FieldsIn(Call(request)), ElementsAre("request_id"));
  EXPECT_EQ(ReasonIn(Call(RequestFor("01890000-0000-7000-8000-000000000000"))), "BATCH_NOT_FOUND");
}

TEST_P(RetryJobs, AloneMakesChildren) {
  grpc::ClientContext context;
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = BatchOf(1, HandlerJob("echo"));
  request.mutable_batch()->set_parent_id("01890000-0000-7000-8000-000000000000");
  v1::SubmitBatchResponse response;
  EXPECT_THAT(FieldsIn(served_.jobs().SubmitBatch(&context, request, &response)),
              ElementsAre("batch.parent_id"));
}

}  // namespace
}  // namespace jobrunner::rpc
