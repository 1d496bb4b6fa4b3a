// What clients see of a store that stalls, fails or is full.

#include "support/faulty_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <limits>
#include <thread>

#include "absl/synchronization/notification.h"
#include "grpc/health/v1/health.pb.h"
#include "rpc/each_store.h"
#include "rpc/generic_call.h"

namespace jobrunner::rpc {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class FaultyStoreCalls : public OverEachStore {
 protected:
  ServedOptions WithFaults() {
    ServedOptions options = OnStore();
    options.allow_any_command = true;
    options.store_may_fail = true;
    options.front = [this](std::unique_ptr<engine::Store> store) {
      auto faulty = std::make_unique<test::FaultyStore>(std::move(store));
      store_ = faulty.get();
      return faulty;
    };
    return options;
  }
  bool IsServing() {
    GenericCall call(served_.Connect(), "/grpc.health.v1.Health/Check");
    call.Send(grpc::health::v1::HealthCheckRequest().SerializeAsString());
    grpc::health::v1::HealthCheckResponse response;
    return response.ParseFromString(call.Receive().value_or("nothing")) &&
           response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
  }
  grpc::Status Cancel(const std::string& batch_id) {
    grpc::ClientContext context;
    v1::CancelRequest request;
    request.set_batch_id(batch_id);
    v1::CancelResponse response;
    return served_.jobs().Cancel(&context, request, &response);
  }
  grpc::Status SubmitOne() {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    *request.mutable_batch() = BatchOf(1, HandlerJob("echo"));
    v1::SubmitBatchResponse response;
    return served_.jobs().SubmitBatch(&context, request, &response);
  }

  test::FaultyStore* store_ = nullptr;
  Served served_{WithFaults()};
};

INSTANTIATE_TEST_SUITE_P(Stores, FaultyStoreCalls, EachStore(), NameOfStore);

// A command that runs, held so that its end can be waited for.
class RunningCommand {
 public:
  explicit RunningCommand(Served& served) {
    v1::BatchSpec spec;
    v1::Job& job = *spec.add_jobs();
    for (const char* word : {"/bin/sh", "-c", "echo $$; exec sleep 1000"}) {
      job.mutable_command()->add_argv(word);
    }
    job.mutable_options()->set_stream_output(true);
    batch_id_ = Submit(served, spec).id();
    grpc::ClientContext context;
    v1::StreamResultsRequest request;
    request.set_batch_id(batch_id_);
    request.set_follow(true);
    const auto reader = served.jobs().StreamResults(&context, request);
    v1::StreamResultsResponse response;
    EXPECT_TRUE(reader->Read(&response));
    const int pid = std::stoi(response.events(0).output().output());
    fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    EXPECT_GE(fd_, 0);
    context.TryCancel();
    reader->Finish();
  }
  ~RunningCommand() { close(fd_); }

  void AwaitEnd() const {
    pollfd ended{fd_, POLLIN, 0};
    while (poll(&ended, 1, -1) < 1) {
    }
  }
  const std::string& batch_id() const { return batch_id_; }

 private:
  std::string batch_id_;
  int fd_ = -1;
};

TEST_P(FaultyStoreCalls, WhileTheStoreStallsACancelActsAndHealthAnswers) {
  const RunningCommand command(served_);
  store_->Stall();
  grpc::Status answer;
  absl::Notification answered;
  std::thread canceller([&] {
    answer = Cancel(command.batch_id());
    answered.Notify();
  });
  command.AwaitEnd();
  store_->AwaitHit(1);
  EXPECT_TRUE(IsServing());
  EXPECT_FALSE(answered.HasBeenNotified()) << "Cancel answers when its record is stored";
  store_->Resume();
  canceller.join();
  EXPECT_TRUE(answer.ok()) << answer.error_message();
  const auto events = Results(served_, command.batch_id());
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[1].result().error().reason(), v1::REASON_CLIENT_CANCEL);
}

TEST_P(FaultyStoreCalls, WhileTheStoreStallsNothingIsShownThatACrashCouldTakeBack) {
  const v1::Batch batch = Submit(served_, BatchOf(1, HandlerJob("hold")));
  served_.gate().AwaitHeld(1);
  store_->Stall();
  served_.gate().Open();
  store_->AwaitHit(1);
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(batch.id());
  const auto reader = served_.jobs().StreamResults(&context, request);
  EXPECT_THAT(ReadAll(*reader, v1::StreamResultsResponse()), IsEmpty());
  EXPECT_TRUE(reader->Finish().ok());
  store_->Resume();
  EXPECT_THAT(Results(served_, batch.id()), SizeIs(2));
}

TEST_P(FaultyStoreCalls, AfterAFailedCommitNothingIsAnsweredUntilTheServerEnds) {
  const v1::Batch held = Submit(served_, BatchOf(1, HandlerJob("hold")));
  served_.gate().AwaitHeld(1);
  store_->Fail();
  std::vector<grpc::Status> answers(3);
  std::vector<std::thread> clients;
  clients.emplace_back([&] { answers[0] = SubmitOne(); });
  clients.emplace_back([&] { answers[1] = Cancel(held.id()); });
  clients.emplace_back([&] {
    grpc::ClientContext context;
    v1::StreamResultsRequest request;
    request.set_batch_id(held.id());
    request.set_follow(true);
    const auto reader = served_.jobs().StreamResults(&context, request);
    EXPECT_THAT(ReadAll(*reader, v1::StreamResultsResponse()), IsEmpty());
    answers[2] = reader->Finish();
  });
  served_.AwaitStoreFailed();
  store_->AwaitHit(2);
  served_.server().Stop(std::chrono::seconds(0));
  for (std::thread& client : clients) client.join();
  for (const grpc::Status& answer : answers) {
    EXPECT_FALSE(answer.ok());
  }
}

// A store that had room for one batch, with the request_id "once", and has none for another.
class FullStore : public ::testing::Test {
 protected:
  void SetUp() override {
    ServedOptions options;
    options.store = "rocksdb:" + directory_.PathOf("store");
    served_ = std::make_unique<Served>(options);
    batch_id_ = SubmitAs("once").second;
    Results(*served_, batch_id_);
    served_ = nullptr;
    options.disk_reserve_bytes = std::numeric_limits<int64_t>::max();
    served_ = std::make_unique<Served>(options);
  }
  std::pair<grpc::Status, std::string> SubmitAs(const std::string& request_id) {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    request.set_request_id(request_id);
    *request.mutable_batch() = BatchOf(1, HandlerJob("fail"));
    v1::SubmitBatchResponse response;
    const grpc::Status status = served_->jobs().SubmitBatch(&context, request, &response);
    return {status, response.batch().id()};
  }
  static void ExpectFull(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonIn(status), "STORE_FULL");
    EXPECT_THAT(DetailsOfKind<google::rpc::RetryInfo>(status), SizeIs(1));
  }

  const test::TemporaryDirectory directory_;
  std::unique_ptr<Served> served_;
  std::string batch_id_;
};

TEST_F(FullStore, TakesNoNewBatch) {
  ExpectFull(SubmitAs("another").first);
  grpc::ClientContext run_context;
  v1::RunBatchRequest run;
  *run.mutable_batch() = BatchOf(1, HandlerJob("echo"));
  ExpectFull(served_->jobs().RunBatch(&run_context, run)->Finish());
  grpc::ClientContext retry_context;
  v1::RetryJobsRequest retry;
  retry.set_batch_id(batch_id_);
  v1::RetryJobsResponse response;
  ExpectFull(served_->jobs().RetryJobs(&retry_context, retry, &response));
}

TEST_F(FullStore, StillAnswersForWhatItHas) {
  const auto [status, batch_id] = SubmitAs("once");
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(batch_id, batch_id_);
  EXPECT_THAT(Results(*served_, batch_id_), SizeIs(2));
}

}  // namespace
}  // namespace jobrunner::rpc
