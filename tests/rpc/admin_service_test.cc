#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "rpc/served.h"
#include "rpc/stub_worker.h"

namespace jobrunner::rpc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class Admin : public ::testing::Test {
 protected:
  template <typename Response, typename Method, typename Request>
  grpc::Status Call(Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    return (served_.admin().*method)(&context, request, response);
  }
  v1::GetStatisticsResponse Statistics() {
    v1::GetStatisticsResponse response;
    EXPECT_TRUE(
        Call(&v1::AdminService::Stub::GetStatistics, v1::GetStatisticsRequest(), &response).ok());
    return response;
  }
  v1::GetServerInfoResponse Info() {
    v1::GetServerInfoResponse response;
    EXPECT_TRUE(
        Call(&v1::AdminService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &response).ok());
    return response;
  }
  grpc::Status Pause(const std::string& queue) {
    v1::PauseQueueRequest request;
    request.set_queue(queue);
    return Call(&v1::AdminService::Stub::PauseQueue, request, &paused_);
  }
  grpc::Status Resume(const std::string& queue) {
    v1::ResumeQueueRequest request;
    request.set_queue(queue);
    return Call(&v1::AdminService::Stub::ResumeQueue, request, &resumed_);
  }
  grpc::Status Resize(const v1::ResizePoolRequest& request) {
    return Call(&v1::AdminService::Stub::ResizePool, request, &resized_);
  }

  Served served_;
  v1::PauseQueueResponse paused_;
  v1::ResumeQueueResponse resumed_;
  v1::ResizePoolResponse resized_;
};

TEST_F(Admin, ServerInfoSaysWhatTheServerIsAndAllows) {
  const v1::GetServerInfoResponse info = Info();
  EXPECT_EQ(info.version(), "1.2.3");
  EXPECT_EQ(info.store(), "memory");
  EXPECT_THAT(info.handlers(), Contains("echo"));
  EXPECT_THAT(info.handlers(), Contains("hold"));
  EXPECT_FALSE(info.any_command());
  ASSERT_THAT(info.queues(), SizeIs(1));
  EXPECT_EQ(info.queues(0).name(), "default");
  EXPECT_EQ(info.limits().workers_max(), 4);
  EXPECT_EQ(info.limits().jobs_per_batch_max(), 10'000);
  EXPECT_TRUE(info.has_start_time());
  EXPECT_FALSE(info.draining());
  served_.Drain(std::chrono::seconds(0));
  EXPECT_TRUE(Info().draining());
}

TEST_F(Admin, RemoteWorkersAreShown) {
  StubWorker::Hello hello;
  hello.set_name("camera");
  hello.add_handlers("resize");
  hello.set_slots(3);
  hello.set_sdk("test 1.0");
  (*hello.mutable_labels())["room"] = "cellar";
  StubWorker worker(served_, hello);
  worker.AwaitWelcome();
  const v1::GetStatisticsResponse statistics = Statistics();
  EXPECT_EQ(statistics.streams(), 1);
  ASSERT_THAT(statistics.remote_workers(), SizeIs(1));
  const v1::RemoteWorkerStatistics& shown = statistics.remote_workers(0);
  EXPECT_EQ(shown.name(), "camera");
  EXPECT_THAT(shown.handlers(), ElementsAre("resize"));
  EXPECT_EQ(shown.slots(), 3);
  EXPECT_EQ(shown.held(), 0);
  EXPECT_EQ(shown.sdk(), "test 1.0");
  EXPECT_EQ(shown.labels().at("room"), "cellar");
  EXPECT_TRUE(shown.connected());
  EXPECT_FALSE(shown.leaving());
  EXPECT_GT(shown.connect_time().seconds(), 0);
}

TEST_F(Admin, StatisticsCount) {
  v1::BatchSpec spec = BatchOf(10, HandlerJob("echo"));
  *spec.add_jobs() = HandlerJob("fail");
  Results(served_, Submit(served_, spec).id());
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(Submit(served_, BatchOf(6, HandlerJob("hold"))).id());
  request.set_follow(true);
  const auto reader = served_.jobs().StreamResults(&context, request);
  reader->WaitForInitialMetadata();
  served_.gate().AwaitHeld(4);

  const v1::GetStatisticsResponse statistics = Statistics();
  EXPECT_EQ(statistics.jobs_accepted(), 17);
  EXPECT_EQ(statistics.jobs_succeeded(), 10);
  EXPECT_EQ(statistics.jobs_failed(), 1);
  EXPECT_EQ(statistics.batches_running(), 1);
  EXPECT_EQ(statistics.batches_kept(), 2);
  EXPECT_EQ(statistics.attempts_started(), 15);
  EXPECT_EQ(statistics.pool().busy(), 4);
  EXPECT_EQ(statistics.pool().workers_max(), 4);
  EXPECT_EQ(statistics.streams(), 1);
  ASSERT_THAT(statistics.queues(), SizeIs(1));
  EXPECT_EQ(statistics.queues(0).running(), 4);
  EXPECT_EQ(statistics.queues(0).queued(), 2);
  context.TryCancel();
}

TEST_F(Admin, APausedQueueStartsNothing) {
  ASSERT_TRUE(Pause("default").ok());
  EXPECT_TRUE(paused_.queue().paused());
  EXPECT_EQ(paused_.queue().name(), "default");
  const v1::Batch batch = Submit(served_, BatchOf(1, HandlerJob("echo")));
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_batch_id(batch.id());
  request.set_index(0);
  v1::GetJobResponse response;
  ASSERT_TRUE(served_.jobs().GetJob(&context, request, &response).ok());
  EXPECT_EQ(response.job().wait().reason(), v1::WAIT_REASON_QUEUE_PAUSED);
  ASSERT_TRUE(Resume("default").ok());
  EXPECT_FALSE(resumed_.queue().paused());
  EXPECT_THAT(Results(served_, batch.id()), SizeIs(2));
}

TEST_F(Admin, QueuesThatAreNotThereAreNotFound) {
  EXPECT_EQ(Pause("nowhere").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Resume("nowhere").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(Admin, ThePoolCanBeResized) {
  v1::ResizePoolRequest request;
  request.set_workers_max(9);
  ASSERT_TRUE(Resize(request).ok());
  EXPECT_EQ(resized_.pool().workers_max(), 9);
  EXPECT_EQ(resized_.pool().workers_min(), 0);
  request.set_workers_min(9);
  ASSERT_TRUE(Resize(request).ok());
  EXPECT_EQ(resized_.pool().workers_min(), 9);
  request.clear_workers_min();
  request.set_workers_max(3);
  ASSERT_TRUE(Resize(request).ok());
  EXPECT_EQ(resized_.pool().workers_min(), 3);
}

TEST_F(Admin, ThePoolHasBounds) {
  v1::ResizePoolRequest request;
  for (const int32_t most : {0, -1, 100'001}) {
    request.set_workers_max(most);
    EXPECT_THAT(FieldsIn(Resize(request)), ElementsAre("workers_max"));
  }
  request.set_workers_max(5);
  for (const int32_t least : {-1, 6}) {
    request.set_workers_min(least);
    EXPECT_THAT(FieldsIn(Resize(request)), ElementsAre("workers_min"));
  }
}

TEST_F(Admin, ADrainIsBegunAndAnswered) {
  v1::DrainRequest request;
  request.mutable_grace_period()->set_seconds(3601);
  v1::DrainResponse response;
  EXPECT_THAT(FieldsIn(Call(&v1::AdminService::Stub::Drain, request, &response)),
              ElementsAre("grace_period"));
  request.mutable_grace_period()->set_seconds(7);
  EXPECT_TRUE(Call(&v1::AdminService::Stub::Drain, request, &response).ok());
  EXPECT_EQ(served_.AwaitDrainCall(), std::chrono::seconds(7));
}

TEST_F(Admin, ABackupIsRefusedWhereThereAreNone) {
  v1::BackUpResponse response;
  const grpc::Status status = Call(&v1::AdminService::Stub::BackUp, v1::BackUpRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("backup.directory"));
}

TEST(Backups, AreAnsweredWhenTheyAreMade) {
  ServerParts::BackupDone done;
  absl::Notification asked;
  ServedOptions options;
  options.back_up = [&](ServerParts::BackupDone given) {
    done = std::move(given);
    asked.Notify();
  };
  Served served(options);
  std::thread store([&] {
    asked.WaitForNotification();
    v1::BackUpResponse made;
    made.set_number(7);
    done(made);
  });
  grpc::ClientContext context;
  v1::BackUpResponse response;
  EXPECT_TRUE(served.admin().BackUp(&context, {}, &response).ok());
  EXPECT_EQ(response.number(), 7);
  store.join();
}

TEST(Backups, ThatAreStillBeingMadeHoldNoServerUp) {
  ServerParts::BackupDone done;
  absl::Notification asked;
  ServedOptions options;
  options.back_up = [&](ServerParts::BackupDone given) {
    done = std::move(given);
    asked.Notify();
  };
  auto served = std::make_unique<Served>(options);
  std::thread caller([stub = v1::AdminService::NewStub(served->Connect())] {
    grpc::ClientContext context;
    v1::BackUpResponse response;
    EXPECT_FALSE(stub->BackUp(&context, {}, &response).ok());
  });
  asked.WaitForNotification();
  served.reset();
  caller.join();
}

TEST_F(Admin, ADrainHasTheConfiguredGraceUnlessItSaysOtherwise) {
  v1::DrainResponse response;
  EXPECT_TRUE(Call(&v1::AdminService::Stub::Drain, v1::DrainRequest(), &response).ok());
  EXPECT_EQ(served_.AwaitDrainCall(), std::chrono::seconds(5));
}

}  // namespace
}  // namespace jobrunner::rpc
