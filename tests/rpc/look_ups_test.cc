#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNoBatch[] = "01890000-0000-7000-8000-000000000000";

class LookUpCalls : public OverEachStore {
 protected:
  grpc::Status GetBatch(const std::string& id) {
    grpc::ClientContext context;
    v1::GetBatchRequest request;
    request.set_batch_id(id);
    return served_.jobs().GetBatch(&context, request, &batch_);
  }
  grpc::Status GetJob(const v1::GetJobRequest& request) {
    grpc::ClientContext context;
    return served_.jobs().GetJob(&context, request, &job_);
  }
  static v1::GetJobRequest JobAt(const std::string& id, int32_t index) {
    v1::GetJobRequest request;
    request.set_batch_id(id);
    request.set_index(index);
    return request;
  }
  static v1::GetJobRequest JobWith(const std::string& id, const std::string& key) {
    v1::GetJobRequest request;
    request.set_batch_id(id);
    request.set_key(key);
    return request;
  }
  grpc::Status ListBatches(const v1::ListBatchesRequest& request) {
    grpc::ClientContext context;
    batches_.Clear();
    return served_.jobs().ListBatches(&context, request, &batches_);
  }
  grpc::Status ListJobs(const v1::ListJobsRequest& request) {
    grpc::ClientContext context;
    jobs_.Clear();
    return served_.jobs().ListJobs(&context, request, &jobs_);
  }

  Served served_{OnStore()};
  v1::GetBatchResponse batch_;
  v1::GetJobResponse job_;
  v1::ListBatchesResponse batches_;
  v1::ListJobsResponse jobs_;
};

INSTANTIATE_TEST_SUITE_P(Stores, LookUpCalls, EachStore(), NameOfStore);

TEST_P(LookUpCalls, ABatchHasItsCounts) {
  const v1::Batch batch = Submit(served_, BatchOf(3, HandlerJob("echo")));
  Results(served_, batch.id());
  ASSERT_TRUE(GetBatch(batch.id()).ok());
  EXPECT_EQ(batch_.batch().state(), v1::BATCH_STATE_SUCCEEDED);
  EXPECT_EQ(batch_.batch().counts().succeeded(), 3);
  EXPECT_EQ(batch_.batch().last_sequence(), 4);
}

TEST_P(LookUpCalls, DoNotFindBatchesThatAreNotThere) {
  for (const std::string id : {"", "nonsense", kNoBatch}) {
    const grpc::Status status = GetBatch(id);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << id;
    EXPECT_EQ(ReasonIn(status), "BATCH_NOT_FOUND") << id;
    EXPECT_EQ(GetJob(JobAt(id, 0)).error_code(), grpc::StatusCode::NOT_FOUND) << id;
    EXPECT_EQ(GetJob(JobWith(id, "k")).error_code(), grpc::StatusCode::NOT_FOUND) << id;
    v1::ListJobsRequest request;
    request.set_batch_id(id);
    EXPECT_EQ(ListJobs(request).error_code(), grpc::StatusCode::NOT_FOUND) << id;
  }
}

TEST_P(LookUpCalls, SayThatABatchMayHaveBeenRemoved) {
  EXPECT_THAT(GetBatch(kNoBatch).error_message(), ::testing::HasSubstr("has been removed, or"));
}

TEST_P(LookUpCalls, AJobHasWhatWasSubmittedAndWhatCameOfIt) {
  v1::BatchSpec spec = BatchOf(600, HandlerJob("echo", "x"));
  spec.mutable_jobs(500)->set_key("the key");
  spec.mutable_jobs(500)->mutable_handler()->set_payload("y");
  const v1::Batch batch = Submit(served_, spec);
  Results(served_, batch.id());

  ASSERT_TRUE(GetJob(JobAt(batch.id(), 500)).ok());
  const v1::JobStatus by_index = job_.job();
  EXPECT_EQ(by_index.index(), 500);
  EXPECT_EQ(by_index.key(), "the key");
  EXPECT_EQ(by_index.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(by_index.job().handler().payload(), "y");
  EXPECT_EQ(by_index.result().output(), "y");

  ASSERT_TRUE(GetJob(JobWith(batch.id(), "the key")).ok());
  EXPECT_EQ(job_.job().SerializeAsString(), by_index.SerializeAsString());
}

TEST_P(LookUpCalls, AJobThatWaitsSaysWhatFor) {
  v1::Job job = HandlerJob("echo");
  job.mutable_options()->mutable_delay()->set_seconds(3600);
  const v1::Batch batch = Submit(served_, BatchOf(1, job));
  ASSERT_TRUE(GetJob(JobAt(batch.id(), 0)).ok());
  EXPECT_EQ(job_.job().state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job_.job().wait().reason(), v1::WAIT_REASON_DELAY);
  EXPECT_FALSE(job_.job().has_result());
}

TEST_P(LookUpCalls, ADelayedJobSaysUntilWhen) {
  v1::Job later = HandlerJob("echo");
  later.mutable_options()->mutable_delay()->set_seconds(7200);
  v1::BatchSpec spec = BatchOf(2, later);
  spec.mutable_jobs(0)->clear_options();
  spec.mutable_job_defaults()->mutable_delay()->set_seconds(3600);
  const v1::Batch batch = Submit(served_, spec);
  for (const int index : {0, 1}) {
    ASSERT_TRUE(GetJob(JobAt(batch.id(), index)).ok());
    const v1::Wait& wait = job_.job().wait();
    EXPECT_EQ(wait.reason(), v1::WAIT_REASON_DELAY);
    EXPECT_EQ(wait.until_time().seconds() - wait.since_time().seconds(), index == 0 ? 3600 : 7200);
  }
}

TEST_P(LookUpCalls, DoNotFindJobsThatAreNotThere) {
  const v1::Batch batch = Submit(served_, BatchOf(2, HandlerJob("echo")));
  for (const auto& request : {JobAt(batch.id(), 2), JobAt(batch.id(), -1),
                              JobWith(batch.id(), "nobody"), JobWith(batch.id(), "")}) {
    const grpc::Status status = GetJob(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonIn(status), "JOB_NOT_FOUND");
  }
  v1::GetJobRequest neither;
  neither.set_batch_id(batch.id());
  EXPECT_THAT(FieldsIn(GetJob(neither)), ElementsAre("job"));
}

TEST_P(LookUpCalls, ListBatchesInPagesFromTheNewest) {
  std::vector<std::string> submitted;
  for (int i = 0; i < 25; ++i)
    submitted.push_back(Submit(served_, BatchOf(1, HandlerJob("echo"))).id());
  std::vector<std::string> listed;
  v1::ListBatchesRequest request;
  request.set_page_size(10);
  do {
    ASSERT_TRUE(ListBatches(request).ok());
    ASSERT_LE(batches_.batches_size(), 10);
    for (const v1::Batch& batch : batches_.batches()) listed.push_back(batch.id());
    request.set_page_token(batches_.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, std::vector<std::string>(submitted.rbegin(), submitted.rend()));
}

TEST_P(LookUpCalls, ListBatchesThatMatch) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  (*spec.mutable_labels())["team"] = "red";
  const v1::Batch red = Submit(served_, spec);
  const v1::Batch held = Submit(served_, BatchOf(1, HandlerJob("hold")));
  Results(served_, red.id());

  v1::ListBatchesRequest request;
  (*request.mutable_labels())["team"] = "red";
  ASSERT_TRUE(ListBatches(request).ok());
  ASSERT_THAT(batches_.batches(), SizeIs(1));
  EXPECT_EQ(batches_.batches(0).id(), red.id());

  request.Clear();
  request.add_states(v1::BATCH_STATE_RUNNING);
  ASSERT_TRUE(ListBatches(request).ok());
  ASSERT_THAT(batches_.batches(), SizeIs(1));
  EXPECT_EQ(batches_.batches(0).id(), held.id());

  request.Clear();
  request.set_queue("nowhere");
  ASSERT_TRUE(ListBatches(request).ok());
  EXPECT_THAT(batches_.batches(), IsEmpty());
}

TEST_P(LookUpCalls, PagesOfBatchesAreBoundedByTheirBytesToo) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  for (int i = 0; i < 64; ++i)
    (*spec.mutable_labels())["l" + std::to_string(i)] = std::string(256, 'x');
  std::set<std::string> submitted;
  for (int i = 0; i < 100; ++i) submitted.insert(Submit(served_, spec).id());
  v1::ListBatchesRequest request;
  request.set_page_size(1000);
  std::set<std::string> listed;
  int pages = 0;
  do {
    ASSERT_TRUE(ListBatches(request).ok());
    EXPECT_LE(batches_.ByteSizeLong(), size_t{1} << 20);
    for (const v1::Batch& batch : batches_.batches()) listed.insert(batch.id());
    request.set_page_token(batches_.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, submitted);
  EXPECT_GT(pages, 1);
}

TEST_P(LookUpCalls, ListJobsInPagesByIndexWithTheirKeys) {
  v1::BatchSpec spec = BatchOf(700, HandlerJob("echo"));
  for (int i = 0; i < 700; ++i) spec.mutable_jobs(i)->set_key("k" + std::to_string(i));
  const v1::Batch batch = Submit(served_, spec);
  Results(served_, batch.id());
  v1::ListJobsRequest request;
  request.set_batch_id(batch.id());
  request.set_page_size(300);
  int next = 0;
  do {
    ASSERT_TRUE(ListJobs(request).ok());
    for (const v1::JobStatus& job : jobs_.jobs()) {
      EXPECT_EQ(job.index(), next);
      EXPECT_EQ(job.key(), "k" + std::to_string(next));
      EXPECT_FALSE(job.has_result());
      ++next;
    }
    request.set_page_token(jobs_.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(next, 700);
}

TEST_P(LookUpCalls, ListJobsInSomeStates) {
  v1::BatchSpec spec = BatchOf(300, HandlerJob("echo"));
  *spec.mutable_jobs(7) = HandlerJob("fail");
  *spec.mutable_jobs(290) = HandlerJob("fail");
  const v1::Batch batch = Submit(served_, spec);
  Results(served_, batch.id());
  v1::ListJobsRequest request;
  request.set_batch_id(batch.id());
  request.add_states(v1::JOB_STATE_FAILED);
  ASSERT_TRUE(ListJobs(request).ok());
  ASSERT_THAT(jobs_.jobs(), SizeIs(2));
  EXPECT_EQ(jobs_.jobs(0).index(), 7);
  EXPECT_EQ(jobs_.jobs(1).index(), 290);
}

TEST_P(LookUpCalls, PageTokensAreGoodForTheirListAlone) {
  for (int i = 0; i < 3; ++i) Submit(served_, BatchOf(1, HandlerJob("echo")));
  v1::ListBatchesRequest request;
  request.set_page_size(1);
  ASSERT_TRUE(ListBatches(request).ok());
  const std::string token = batches_.next_page_token();
  EXPECT_EQ(
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
      std::string::npos);

  request.set_page_token(token);
  request.set_page_size(2);
  EXPECT_TRUE(ListBatches(request).ok());
  request.set_queue("default");
  EXPECT_THAT(FieldsIn(ListBatches(request)), ElementsAre("page_token"));
  for (const std::string nonsense : {"x", "!!!", "AAAAAAAAAAAAAAAA"}) {
    request.set_page_token(nonsense);
    const grpc::Status status = ListBatches(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(FieldsIn(status), ElementsAre("page_token"));
  }
}

TEST_P(LookUpCalls, RefusePagesAndStatesThatMakeNoSense) {
  v1::ListBatchesRequest request;
  request.set_page_size(-1);
  EXPECT_THAT(FieldsIn(ListBatches(request)), ElementsAre("page_size"));
  request.set_page_size(1'000'000);
  EXPECT_TRUE(ListBatches(request).ok());
  request.add_states(v1::BATCH_STATE_UNSPECIFIED);
  EXPECT_THAT(FieldsIn(ListBatches(request)), ElementsAre("states[0]"));
}

class CancelCalls : public LookUpCalls {
 protected:
  grpc::Status Cancel(const v1::CancelRequest& request) {
    grpc::ClientContext context;
    return served_.jobs().Cancel(&context, request, &response_);
  }
  static v1::CancelRequest RequestFor(const std::string& id) {
    v1::CancelRequest request;
    request.set_batch_id(id);
    return request;
  }

  v1::CancelResponse response_;
};

INSTANTIATE_TEST_SUITE_P(Stores, CancelCalls, EachStore(), NameOfStore);

TEST_P(CancelCalls, EndABatchWithTheReasonGiven) {
  const v1::Batch batch = Submit(served_, BatchOf(10, HandlerJob("hold")));
  served_.gate().AwaitHeld(4);
  v1::CancelRequest request = RequestFor(batch.id());
  request.set_reason("no longer needed");
  ASSERT_TRUE(Cancel(request).ok());
  EXPECT_TRUE(response_.batch().cancel_requested());
  const auto events = Results(served_, batch.id());
  ASSERT_THAT(events, SizeIs(11));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(events[i].result().error().reason(), v1::REASON_CLIENT_CANCEL);
    EXPECT_THAT(events[i].result().error().message(), ::testing::HasSubstr("no longer needed"));
  }
  EXPECT_TRUE(Cancel(request).ok()) << "a cancel of what has ended is no error";
}

TEST_P(CancelCalls, EndSomeJobs) {
  const v1::Batch batch = Submit(served_, BatchOf(2, HandlerJob("hold")));
  served_.gate().AwaitHeld(2);
  v1::CancelRequest request = RequestFor(batch.id());
  request.add_job_indexes(1);
  ASSERT_TRUE(Cancel(request).ok());
  grpc::ClientContext context;
  v1::StreamResultsRequest stream;
  stream.set_batch_id(batch.id());
  stream.set_follow(true);
  const auto reader = served_.jobs().StreamResults(&context, stream);
  v1::StreamResultsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.events(0).job_index(), 1);
  EXPECT_EQ(response.events(0).result().state(), v1::JOB_STATE_CANCELLED);
  served_.gate().Open();
  EXPECT_THAT(ReadAll(*reader, response), SizeIs(2));
}

TEST_P(CancelCalls, NameWhatIsWrong) {
  const v1::Batch batch = Submit(served_, BatchOf(2, HandlerJob("hold")));
  v1::CancelRequest request = RequestFor(batch.id());
  request.add_job_indexes(0);
  request.add_job_indexes(2);
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("job_indexes[1]"));
  request.set_job_indexes(1, -1);
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("job_indexes[1]"));

  request = RequestFor(batch.id());
  for (int i = 0; i < 10'001; ++i) request.add_job_indexes(0);
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("job_indexes"));

  request = RequestFor(batch.id());
  request.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("reason"));

  request = RequestFor(batch.id());
  request.mutable_grace_period()->set_seconds(-1);
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("grace_period"));
  request.mutable_grace_period()->set_seconds(3601);
  EXPECT_THAT(FieldsIn(Cancel(request)), ElementsAre("grace_period"));
}

TEST_P(CancelCalls, DoNotFindBatchesThatAreNotThere) {
  EXPECT_EQ(Cancel(RequestFor("x")).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonIn(Cancel(RequestFor(kNoBatch))), "BATCH_NOT_FOUND");
}

}  // namespace
}  // namespace jobrunner::rpc
