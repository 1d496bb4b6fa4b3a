#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <set>

#include "rpc/each_store.h"
#include "storage/open_store.h"

namespace jobrunner::rpc {
namespace {

using std::chrono::system_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Jobs a message: more than a shard, and not a whole number of them.
constexpr int kJobsEach = 1000;

v1::UploadBatchRequest Header(const std::string& request_id = "",
                              const v1::BatchSpec& spec = v1::BatchSpec()) {
  v1::UploadBatchRequest message;
  message.mutable_header()->set_request_id(request_id);
  *message.mutable_header()->mutable_batch() = spec;
  return message;
}

v1::UploadBatchRequest Jobs(int count, const v1::Job& job) {
  v1::UploadBatchRequest message;
  for (int i = 0; i < count; ++i) *message.mutable_jobs()->add_jobs() = job;
  return message;
}

v1::UploadBatchRequest End(std::optional<int64_t> jobs_sent = std::nullopt) {
  v1::UploadBatchRequest message;
  message.mutable_end();
  if (jobs_sent) message.mutable_end()->set_jobs_sent(*jobs_sent);
  return message;
}

class UploadBatch : public OverEachStore {
 protected:
  // A call that is open.
  struct Call {
    grpc::ClientContext context;
    v1::UploadBatchResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::UploadBatchRequest>> writer;
  };

  UploadBatch() { Serve({}); }

  void Serve(ServedOptions options) {
    served_.reset();
    served_.emplace(OnStore(std::move(options)));
  }
  std::unique_ptr<Call> Open(const std::vector<v1::UploadBatchRequest>& messages,
                             system_clock::time_point deadline = system_clock::time_point::max()) {
    auto call = std::make_unique<Call>();
    call->context.set_deadline(deadline);
    call->writer = served_->jobs().UploadBatch(&call->context, &call->response);
    for (const auto& message : messages) call->writer->Write(message);
    return call;
  }
  grpc::Status Finish(Call& call) {
    call.writer->WritesDone();
    grpc::Status status = call.writer->Finish();
    batch_ = call.response.batch();
    return status;
  }
  // All of these, and the end of the messages.
  grpc::Status Upload(const std::vector<v1::UploadBatchRequest>& messages) {
    return Finish(*Open(messages));
  }
  grpc::Status SubmitSpec(const v1::BatchSpec& spec, const std::string& request_id) {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    request.set_request_id(request_id);
    *request.mutable_batch() = spec;
    v1::SubmitBatchResponse response;
    grpc::Status status = served_->jobs().SubmitBatch(&context, request, &response);
    batch_ = response.batch();
    return status;
  }
  void AwaitUploads(int64_t count) {
    while (served_->server().streams().uploads != count) std::this_thread::yield();
  }
  // Nobody sees a batch, and the next server on the store finds nothing that was left.
  void ExpectNothingThere() {
    grpc::ClientContext context;
    v1::ListBatchesResponse batches;
    EXPECT_TRUE(served_->jobs().ListBatches(&context, v1::ListBatchesRequest(), &batches).ok());
    EXPECT_THAT(batches.batches(), IsEmpty());
    ExpectNothingStaged();
  }
  void ExpectNothingStaged() {
    served_.reset();
    if (!durable()) return;
    const auto store = storage::OpenStore(OnStore().store, {});
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(store->store->Recover()->staged_dropped, 0);
  }

  std::optional<Served> served_;
  v1::Batch batch_;
};

INSTANTIATE_TEST_SUITE_P(Stores, UploadBatch, EachStore(), NameOfStore);

TEST_P(UploadBatch, MakesOneBatchOfAllMessages) {
  v1::BatchSpec spec;
  spec.set_name("large");
  v1::Job array = HandlerJob("echo", "{index}");
  array.set_key("a");
  array.set_count(600);
  ASSERT_TRUE(
      Upload({Header("", spec), Jobs(kJobsEach, HandlerJob("echo", "first")), Jobs(1, array),
              Jobs(kJobsEach, HandlerJob("echo", "last")), End(2 * kJobsEach + 1)})
          .ok());
  EXPECT_EQ(batch_.name(), "large");
  EXPECT_EQ(batch_.counts().total(), 2 * kJobsEach + 600);

  std::map<int32_t, std::string> outputs;
  for (const v1::Event& event : Results(*served_, batch_.id())) {
    if (!event.has_result()) continue;
    EXPECT_TRUE(outputs.emplace(event.job_index(), event.result().output()).second);
  }
  ASSERT_THAT(outputs, SizeIs(2 * kJobsEach + 600));
  EXPECT_EQ(outputs[0], "first");
  EXPECT_EQ(outputs[kJobsEach + 599], "599");
  EXPECT_EQ(outputs[kJobsEach + 600], "last");
}

TEST_P(UploadBatch, TakesMoreThanARequestMayHave) {
  // Many commits, each of which makes the next wait.
  const v1::Job job = HandlerJob("echo", std::string(100'000, 'x'));
  std::vector<v1::UploadBatchRequest> messages = {Header()};
  for (int i = 0; i < 90; ++i) messages.push_back(Jobs(9, job));
  messages.push_back(End());
  ServedOptions options;
  options.request_bytes_max = 1 << 20;
  Serve(options);
  ASSERT_TRUE(Upload(messages).ok());
  EXPECT_THAT(Results(*served_, batch_.id()), SizeIs(811));
}

TEST_P(UploadBatch, IsTheSameRequestAsASubmitOfTheSameBatch) {
  v1::BatchSpec spec = BatchOf(700, HandlerJob("echo"));
  (*spec.mutable_labels())["a"] = "b";
  v1::BatchSpec description;
  *description.mutable_labels() = spec.labels();
  const std::vector<v1::UploadBatchRequest> messages = {Header("once", description),
                                                        Jobs(400, HandlerJob("echo")),
                                                        Jobs(300, HandlerJob("echo")), End()};
  ASSERT_TRUE(Upload(messages).ok());
  const std::string id = batch_.id();
  ASSERT_TRUE(Upload(messages).ok());
  EXPECT_EQ(batch_.id(), id);
  ASSERT_TRUE(SubmitSpec(spec, "once").ok());
  EXPECT_EQ(batch_.id(), id);

  Results(*served_, id);
  ASSERT_TRUE(Upload(messages).ok());
  EXPECT_EQ(batch_.id(), id);
  const grpc::Status other =
      Upload({Header("once", description), Jobs(700, HandlerJob("echo", "other")), End()});
  EXPECT_EQ(other.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(ReasonIn(other), "REQUEST_ID_REUSED");
  ExpectNothingStaged();
}

TEST_P(UploadBatch, NamesAnInvalidJobByItsPlaceInAllMessages) {
  v1::UploadBatchRequest second = Jobs(kJobsEach, HandlerJob("echo"));
  *second.mutable_jobs()->mutable_jobs(17) = HandlerJob("");
  const auto call = Open({Header(), Jobs(kJobsEach, HandlerJob("echo")), second});
  // The server does not wait for the rest.
  const grpc::Status status = call->writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(FieldsIn(status), ElementsAre("batch.jobs[1017].handler.name"));
  ExpectNothingThere();
}

TEST_P(UploadBatch, NamesAnInvalidJobAtTheVeryEnd) {
  v1::UploadBatchRequest last = Jobs(2, HandlerJob("echo"));
  last.mutable_jobs()->mutable_jobs(1)->mutable_options()->mutable_timeout()->set_seconds(-1);
  EXPECT_THAT(FieldsIn(Upload({Header(), Jobs(kJobsEach, HandlerJob("echo")), last, End()})),
              ElementsAre("batch.jobs[1001].options.timeout"));
  ExpectNothingThere();
}

TEST_P(UploadBatch, NamesAKeyThatComesAgainInAnotherMessage) {
  v1::UploadBatchRequest first = Jobs(kJobsEach, HandlerJob("echo"));
  first.mutable_jobs()->mutable_jobs(3)->set_key("k");
  v1::UploadBatchRequest second = Jobs(kJobsEach, HandlerJob("echo"));
  second.mutable_jobs()->mutable_jobs(0)->set_key("k");
  EXPECT_THAT(FieldsIn(Upload({Header(), first, second, End()})),
              ElementsAre("batch.jobs[1000].key"));
  ExpectNothingThere();
}

TEST_P(UploadBatch, ChecksTheDescriptionAtOnce) {
  v1::BatchSpec spec;
  spec.set_priority(1000);
  EXPECT_THAT(FieldsIn(Open({Header("", spec)})->writer->Finish()), ElementsAre("batch.priority"));
  EXPECT_THAT(FieldsIn(Open({Header(std::string(129, 'x'))})->writer->Finish()),
              ElementsAre("request_id"));
  spec.clear_priority();
  spec.set_lifetime(v1::LIFETIME_CALL_DEADLINE);
  EXPECT_THAT(FieldsIn(Open({Header("", spec)})->writer->Finish()), ElementsAre("batch.lifetime"));
}

TEST_P(UploadBatch, RefusesWhatTheEngineRefusesAndLeavesNothing) {
  v1::BatchSpec spec;
  spec.set_queue("nowhere");
  const grpc::Status status =
      Upload({Header("", spec), Jobs(kJobsEach, HandlerJob("echo")), End()});
  EXPECT_EQ(ReasonIn(status), "UNKNOWN_QUEUE");
  ExpectNothingThere();
}

TEST_P(UploadBatch, WithoutItsEndIsNoBatch) {
  const grpc::Status status =
      Upload({Header("once"), Jobs(kJobsEach, HandlerJob("echo", std::string(2000, 'x')))});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "UPLOAD_INCOMPLETE");
  ExpectNothingThere();
}

TEST_P(UploadBatch, WithFewerJobsThanItsEndSaysIsNoBatch) {
  const grpc::Status status = Upload({Header(), Jobs(3, HandlerJob("echo")), End(4)});
  EXPECT_EQ(ReasonIn(status), "UPLOAD_INCOMPLETE");
  EXPECT_THAT(status.error_message(), HasSubstr("4 jobs were sent, but 3 have come"));
  ExpectNothingThere();
}

TEST_P(UploadBatch, HasAtLeastOneJob) {
  EXPECT_THAT(FieldsIn(Upload({Header(), End()})), ElementsAre("batch.jobs"));
}

TEST_P(UploadBatch, HasItsMessagesInTheirOrder) {
  const auto jobs = Jobs(1, HandlerJob("echo"));
  v1::UploadBatchRequest full = Header();
  *full.mutable_header()->mutable_batch()->add_jobs() = HandlerJob("echo");
  EXPECT_THAT(FieldsIn(Upload({jobs, End()})), ElementsAre("jobs"));
  EXPECT_THAT(FieldsIn(Upload({End()})), ElementsAre("end"));
  EXPECT_THAT(FieldsIn(Upload({v1::UploadBatchRequest()})), ElementsAre("header"));
  EXPECT_THAT(FieldsIn(Upload({Header(), jobs, Header(), End()})), ElementsAre("header"));
  EXPECT_THAT(FieldsIn(Upload({full, End()})), ElementsAre("header.batch.jobs"));
  EXPECT_EQ(ReasonIn(Upload({})), "UPLOAD_INCOMPLETE");
  EXPECT_TRUE(Upload({Header(), v1::UploadBatchRequest(), jobs, End(1)}).ok());
}

TEST_P(UploadBatch, TakesMessagesOfUpTo4MiB) {
  const auto message = [](size_t bytes) {
    v1::UploadBatchRequest message;
    for (int i = 0; i < 5; ++i) {
      *message.mutable_jobs()->add_jobs() = HandlerJob("echo", std::string(800'000, 'x'));
    }
    std::string* last =
        message.mutable_jobs()->mutable_jobs(4)->mutable_handler()->mutable_payload();
    last->resize(last->size() + bytes - message.ByteSizeLong());
    return message;
  };
  ASSERT_EQ(message(4 << 20).ByteSizeLong(), 4 << 20);
  ASSERT_EQ(message((4 << 20) + 1).ByteSizeLong(), (4 << 20) + 1);
  EXPECT_TRUE(Upload({Header(), message(4 << 20), End(5)}).ok());
  const grpc::Status status = Upload({Header(), message((4 << 20) + 1), End(5)});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "MESSAGE_TOO_LARGE");
  EXPECT_THAT(status.error_message(), HasSubstr("message 2 of the upload"));
}

TEST_P(UploadBatch, IsHeldAgainstTheLimitsOfABatch) {
  ServedOptions options;
  options.jobs_per_batch_max = 2'000;
  options.batch_bytes_max = 1'000'000;
  Serve(options);
  const auto jobs = Jobs(kJobsEach, HandlerJob("echo"));
  EXPECT_TRUE(Upload({Header(), jobs, jobs, End()}).ok());
  const grpc::Status many = Upload({Header(), jobs, jobs, Jobs(1, HandlerJob("echo")), End()});
  EXPECT_THAT(FieldsIn(many), ElementsAre("batch.jobs"));
  EXPECT_THAT(many.error_message(), HasSubstr("has 2001 jobs, at most 2000"));
  const auto large = Jobs(6, HandlerJob("echo", std::string(100'000, 'x')));
  EXPECT_TRUE(Upload({Header(), large, End()}).ok());
  const grpc::Status bytes = Upload({Header(), large, large, End()});
  EXPECT_THAT(FieldsIn(bytes), ElementsAre("batch.jobs"));
  EXPECT_THAT(bytes.error_message(), HasSubstr("more than the 1000000 bytes"));
  // An array counts as it is stored.
  v1::Job array = HandlerJob("echo", std::string(100'000, 'x'));
  array.set_count(1'000);
  EXPECT_THAT(FieldsIn(Upload({Header(), Jobs(1, array), End()})), ElementsAre("batch.jobs"));
}

TEST_P(UploadBatch, ThatIsCancelledLeavesNothing) {
  const auto call =
      Open({Header("once"), Jobs(kJobsEach, HandlerJob("echo", std::string(2000, 'x')))});
  AwaitUploads(1);
  call->context.TryCancel();
  EXPECT_EQ(call->writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  AwaitUploads(0);
  ASSERT_TRUE(SubmitSpec(BatchOf(1, HandlerJob("echo")), "once").ok());
  ExpectNothingStaged();
}

TEST_P(UploadBatch, EndsWithItsDeadline) {
  const auto call = Open({Header(), Jobs(kJobsEach, HandlerJob("echo", std::string(2000, 'x')))},
                         system_clock::now() + std::chrono::milliseconds(300));
  EXPECT_EQ(call->writer->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  AwaitUploads(0);
  ExpectNothingThere();
}

TEST_P(UploadBatch, MayMakeTheCallsDeadlineTheBatchs) {
  v1::BatchSpec spec;
  spec.set_lifetime(v1::LIFETIME_CALL_DEADLINE);
  const auto call = Open({Header("", spec), Jobs(1, HandlerJob("hold")), End()},
                         system_clock::now() + std::chrono::milliseconds(700));
  ASSERT_TRUE(Finish(*call).ok());
  const auto events = Results(*served_, batch_.id());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().error().reason(), v1::REASON_CALL_DEADLINE);
}

TEST_P(UploadBatch, EndsWithTheDrain) {
  const auto call = Open({Header(), Jobs(kJobsEach, HandlerJob("echo", std::string(2000, 'x')))});
  AwaitUploads(1);
  served_->server().Drain();
  for (const grpc::Status& status : {call->writer->Finish(), Upload({Header()})}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonIn(status), "DRAINING");
    EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(status), SizeIs(1));
  }
  AwaitUploads(0);
  ExpectNothingThere();
}

TEST_P(UploadBatch, ThatFallsSilentIsEnded) {
  ServedOptions options;
  options.upload_idle_max = std::chrono::milliseconds(50);
  Serve(options);
  const auto call = Open({Header(), Jobs(kJobsEach, HandlerJob("echo", std::string(2000, 'x')))});
  const grpc::Status status = call->writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonIn(status), "UPLOAD_IDLE");
  AwaitUploads(0);
  ExpectNothingThere();
}

TEST_P(UploadBatch, IsRefusedWhileThereAreAsManyAsMayBe) {
  ServedOptions options;
  options.uploads_max = 2;
  Serve(options);
  const auto first = Open({Header()});
  const auto second = Open({Header()});
  AwaitUploads(2);
  const grpc::Status status = Open({Header()})->writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "TOO_MANY_UPLOADS");
  EXPECT_EQ(Finish(*first).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  AwaitUploads(1);
  EXPECT_TRUE(Upload({Header(), Jobs(1, HandlerJob("echo")), End()}).ok());
  second->context.TryCancel();
}

TEST_P(UploadBatch, IsRefusedWhileTheDiskHasNoRoom) {
  if (!durable()) return;
  ServedOptions options;
  options.disk_reserve_bytes = std::numeric_limits<int64_t>::max();
  Serve(options);
  const grpc::Status status = Open({Header()})->writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "STORE_FULL");
}

TEST_P(UploadBatch, ItsFailedJobsCanBeRunAgain) {
  ASSERT_TRUE(Upload({Header(), Jobs(kJobsEach, HandlerJob("fail")), End()}).ok());
  Results(*served_, batch_.id());
  grpc::ClientContext context;
  v1::RetryJobsRequest request;
  request.set_batch_id(batch_.id());
  v1::RetryJobsResponse response;
  ASSERT_TRUE(served_->jobs().RetryJobs(&context, request, &response).ok());
  EXPECT_EQ(response.batch().counts().total(), kJobsEach);
  EXPECT_THAT(Results(*served_, response.batch().id()), SizeIs(kJobsEach + 1));
  ExpectNothingStaged();
}

}  // namespace
}  // namespace jobrunner::rpc
