// The library against a whole server.

#include "client/library/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <thread>

#include "client/library/call_error.h"
#include "rpc/served.h"
#include "rpc/tcp_proxy.h"
#include "support/temporary_directory.h"

namespace jobrunner {
namespace {

using absl::StatusCode;
using rpc::BatchOf;
using rpc::HandlerJob;
using rpc::Served;
using rpc::ServedOptions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::SubmitBatchRequest RequestOf(v1::BatchSpec batch) {
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = std::move(batch);
  return request;
}

// Three that echo, one that holds, three that echo, one after the other.
v1::SubmitBatchRequest HeldInTheMiddle() {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(7, HandlerJob("echo")));
  *request.mutable_batch()->mutable_jobs(3) = HandlerJob("hold");
  request.mutable_batch()->set_max_parallelism(1);
  return request;
}

std::string ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  return payload && info.ParseFromString(std::string(*payload)) ? info.reason() : "";
}

// The events of a log as they are read, checked for gaps and duplicates.
class Log {
 public:
  explicit Log(std::unique_ptr<BatchReader> reader) : reader_(std::move(reader)) {}

  // False at the end of the log, and after an error.
  bool ReadSome() {
    const auto next = reader_->Next();
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return false;
    for (const v1::Event& event : (*next)->events()) {
      EXPECT_EQ(event.sequence(), ++last_);
      if (event.has_result()) results_.push_back(event.job_index());
      if (event.has_batch_finished()) finished_ = event.batch_finished();
    }
    return true;
  }
  void ReadResults(size_t count) {
    while (results_.size() < count && ReadSome()) {
    }
  }
  void ReadToTheEnd() {
    while (ReadSome()) {
    }
  }

  const std::vector<int>& results() const { return results_; }
  const std::optional<v1::BatchFinished>& finished() const { return finished_; }

 private:
  const std::unique_ptr<BatchReader> reader_;
  int64_t last_ = 0;
  std::vector<int> results_;
  std::optional<v1::BatchFinished> finished_;
};

// With the memory store.
class ClientTest : public testing::Test {
 protected:
  static ServedOptions Options() {
    ServedOptions options;
    options.queues.resize(1);
    options.queues[0].name = "narrow";
    options.queues[0].max_queued = 1;
    return options;
  }
  // A batch of so many jobs that hold, of which one runs.
  std::string SubmitHeld(int count) {
    v1::SubmitBatchRequest request = RequestOf(BatchOf(count, HandlerJob("hold")));
    request.mutable_batch()->set_max_parallelism(1);
    const auto batch = client_.Submit(request);
    EXPECT_TRUE(batch.ok()) << batch.status();
    served_.gate().AwaitHeld(1);
    return batch->id();
  }

  Served served_{Options()};
  Client client_{served_.address()};
};

TEST_F(ClientTest, SubmitsAndReadsToTheEnd) {
  const auto batch = client_.Submit(RequestOf(BatchOf(3, HandlerJob("echo"))));
  ASSERT_TRUE(batch.ok()) << batch.status();
  Log log(client_.Results(batch->id()));
  log.ReadToTheEnd();
  EXPECT_THAT(log.results(), SizeIs(3));
  ASSERT_TRUE(log.finished());
  EXPECT_EQ(log.finished()->succeeded(), 3);
}

TEST_F(ClientTest, WaitSaysHowItEndedAndWhatFailed) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(4, HandlerJob("echo")));
  *request.mutable_batch()->mutable_jobs(2) = HandlerJob("fail", R"({"message": "no luck"})");
  request.mutable_batch()->mutable_jobs(2)->set_key("unlucky");
  const auto end = client_.Wait(client_.Submit(request)->id());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->finished.state(), v1::BATCH_STATE_FAILED);
  EXPECT_EQ(end->finished.succeeded(), 3);
  ASSERT_THAT(end->failed, SizeIs(1));
  EXPECT_EQ(end->failed[0].job_index(), 2);
  EXPECT_EQ(end->failed[0].job_key(), "unlucky");
  EXPECT_EQ(end->failed[0].result().error().message(), "no luck");
}

TEST_F(ClientTest, WaitKeepsTheFirstFailuresOfMany) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(1, HandlerJob("fail")));
  request.mutable_batch()->mutable_jobs(0)->set_count(BatchEnd::kFailedMax + 1);
  const auto end = client_.Wait(client_.Submit(request)->id());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->finished.failed(), static_cast<int64_t>(BatchEnd::kFailedMax) + 1);
  EXPECT_THAT(end->failed, SizeIs(BatchEnd::kFailedMax));
}

TEST_F(ClientTest, CancelsSomeJobsAndThenTheBatch) {
  v1::CancelRequest request;
  request.set_batch_id(SubmitHeld(3));
  request.add_job_indexes(1);
  request.set_reason("not that one");
  ASSERT_TRUE(client_.Cancel(request).ok());
  EXPECT_EQ(client_.Get(request.batch_id())->counts().cancelled(), 1);

  request.clear_job_indexes();
  request.set_reason("enough seen");
  ASSERT_TRUE(client_.Cancel(request).ok());
  const auto end = client_.Wait(request.batch_id());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->finished.state(), v1::BATCH_STATE_CANCELLED);
  ASSERT_THAT(end->failed, SizeIs(3));
  EXPECT_EQ(end->failed[0].job_index(), 1);
  EXPECT_THAT(end->failed[0].result().error().message(), HasSubstr("not that one"));
  EXPECT_THAT(end->failed[2].result().error().message(), HasSubstr("enough seen"));
  EXPECT_TRUE(client_.Cancel(request).ok()) << "of what has ended";
}

TEST_F(ClientTest, ATimeoutEndsTheWaitAndNotTheBatch) {
  const std::string id = SubmitHeld(1);
  const auto end = client_.Wait(id, {.timeout = absl::Milliseconds(20)});
  EXPECT_EQ(end.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(end.status().message()), HasSubstr("timeout has passed"));
  EXPECT_EQ(client_.Get(id)->state(), v1::BATCH_STATE_RUNNING);
}

TEST_F(ClientTest, ACallsTimeoutBoundsABatchThatAsksForIt) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(1, HandlerJob("hold")));
  request.mutable_batch()->set_lifetime(v1::LIFETIME_CALL_DEADLINE);
  const auto bounded = client_.Submit(request, {.timeout = absl::Minutes(10)});
  ASSERT_TRUE(bounded.ok()) << bounded.status();
  EXPECT_TRUE(bounded->has_deadline());
  // And no bound that the caller did not set.
  EXPECT_EQ(client_.Submit(request).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, AStopEndsAWaitFromAnotherThread) {
  const std::string id = SubmitHeld(1);
  std::stop_source stop;
  std::thread other([&] { stop.request_stop(); });
  EXPECT_EQ(client_.Wait(id, {.stop = stop.get_token()}).status().code(), StatusCode::kCancelled);
  other.join();
  EXPECT_EQ(client_.Get(id)->state(), v1::BATCH_STATE_RUNNING);
}

TEST_F(ClientTest, ARemovedBatchIsNotFound) {
  const std::string id = client_.Submit(RequestOf(BatchOf(1, HandlerJob("echo"))))->id();
  ASSERT_TRUE(client_.Wait(id).ok());
  grpc::ClientContext context;
  v1::DeleteBatchRequest request;
  request.set_batch_id(id);
  v1::DeleteBatchResponse response;
  ASSERT_TRUE(served_.jobs().DeleteBatch(&context, request, &response).ok());

  v1::CancelRequest cancel;
  cancel.set_batch_id(id);
  EXPECT_EQ(client_.Get(id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client_.Wait(id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client_.Cancel(cancel).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client_.Results(id)->Next().status().code(), StatusCode::kNotFound);
}

TEST_F(ClientTest, ARequestIdIsOneBatch) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(1, HandlerJob("echo")));
  request.set_request_id("an id of its own");
  const auto first = client_.Submit(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(client_.Submit(request)->id(), first->id());
  request.mutable_batch()->add_jobs()->mutable_handler()->set_name("echo");
  const absl::Status other = client_.Submit(request).status();
  EXPECT_EQ(other.code(), StatusCode::kAlreadyExists);
  EXPECT_FALSE(ReasonOf(other).empty());
}

TEST_F(ClientTest, WithoutARequestIdEachSubmitIsABatch) {
  const v1::SubmitBatchRequest request = RequestOf(BatchOf(1, HandlerJob("echo")));
  EXPECT_NE(client_.Submit(request)->id(), client_.Submit(request)->id());
}

TEST_F(ClientTest, ARefusalNamesEachFieldThatIsWrong) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(3, HandlerJob("echo")));
  for (const int index : {0, 2}) {
    request.mutable_batch()->mutable_jobs(index)->mutable_options()->mutable_delay()->set_seconds(
        -1);
  }
  const absl::Status status = client_.Submit(request).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch.jobs[0].options.delay"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("batch.jobs[2].options.delay"));
  EXPECT_FALSE(ReasonOf(status).empty());
}

TEST_F(ClientTest, AFullQueueIsAwaitedOrTold) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(1, HandlerJob("hold")));
  request.mutable_batch()->set_queue("narrow");
  ASSERT_TRUE(client_.Submit(request).ok());
  Client impatient(served_.address(), {.patience = absl::ZeroDuration()});
  const absl::Status full = impatient.Submit(request).status();
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), "QUEUE_FULL");

  std::thread patient([&] { EXPECT_TRUE(client_.Submit(request).ok()); });
  served_.gate().Open();
  patient.join();
}

TEST_F(ClientTest, SharesAChannelOfItsCaller) {
  const auto channel = served_.Connect();
  Client client(channel);
  const std::string id = client.Submit(RequestOf(BatchOf(1, HandlerJob("echo"))))->id();
  EXPECT_TRUE(client.Wait(id).ok());
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_batch_id(id);
  request.set_index(0);
  v1::GetJobResponse response;
  EXPECT_TRUE(v1::JobService::NewStub(channel)->GetJob(&context, request, &response).ok());
}

TEST_F(ClientTest, ThreadsShareAClient) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < 5; ++round) {
        const auto batch = client_.Submit(RequestOf(BatchOf(10, HandlerJob("echo"))));
        ASSERT_TRUE(batch.ok()) << batch.status();
        EXPECT_EQ(client_.Wait(batch->id())->finished.succeeded(), 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ClientTest, AReadingGoesOnWhereTheConnectionWasCut) {
  rpc::TcpProxy proxy(served_.address());
  Client client(proxy.address());
  const auto batch = client.Submit(HeldInTheMiddle());
  ASSERT_TRUE(batch.ok()) << batch.status();
  Log log(client.Results(batch->id()));
  log.ReadResults(3);
  EXPECT_GT(proxy.Reset(), 0);
  served_.gate().Open();
  log.ReadToTheEnd();
  EXPECT_THAT(log.results(), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(log.finished());
}

TEST_F(ClientTest, AWaitGoesOnWhereTheConnectionWasCut) {
  rpc::TcpProxy proxy(served_.address());
  Client client(proxy.address());
  const std::string id = SubmitHeld(1);
  std::thread waiting([&] { EXPECT_EQ(client.Wait(id)->finished.succeeded(), 1); });
  // Nothing tells when it waits; were it never to, this would not end.
  while (served_.server().streams().events == 0) std::this_thread::yield();
  EXPECT_GT(proxy.Reset(), 0);
  served_.gate().Open();
  waiting.join();
}

// Nobody listens there.
class NobodyTest : public testing::Test {
 protected:
  const test::TemporaryDirectory directory_;
  const std::string address_ = "unix:" + directory_.PathOf("socket");
};

TEST_F(NobodyTest, IsUnavailableOncePatienceHasRunOut) {
  Client client(address_, {.pause_min = {}, .patience = absl::Milliseconds(20)});
  const absl::Status status = client.Submit({}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("given up after 20ms"));
}

TEST_F(NobodyTest, TakesNoLongerThanItsTimeout) {
  const absl::Status status =
      Client(address_).Submit({}, {.timeout = absl::Milliseconds(20)}).status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("timeout has passed"));
}

TEST_F(NobodyTest, NoPauseBeginsOnceItWasStopped) {
  Client client(address_, {.pause_min = absl::Hours(1), .patience = absl::Hours(2)});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(client.Submit({}, {.stop = stop.get_token()}).status().code(), StatusCode::kCancelled);
}

// A server on RocksDB that is ended and started again at the same address.
class RestartTest : public testing::Test {
 protected:
  RestartTest() { served_.emplace(Options()); }
  ServedOptions Options() const {
    ServedOptions options;
    options.store = "rocksdb:" + directory_.PathOf("store");
    options.listen = "unix:" + directory_.PathOf("socket");
    return options;
  }
  void End() { served_.reset(); }
  void Start() {
    served_.emplace(Options());
    served_->gate().Open();
  }

  const test::TemporaryDirectory directory_;
  std::optional<Served> served_;
  Client client_{"unix:" + directory_.PathOf("socket")};
};

TEST_F(RestartTest, AReadingGoesOnWithTheServerThatComes) {
  const auto batch = client_.Submit(HeldInTheMiddle());
  ASSERT_TRUE(batch.ok()) << batch.status();
  Log log(client_.Results(batch->id()));
  log.ReadResults(3);
  served_->gate().AwaitHeld(1);
  End();
  Start();
  log.ReadToTheEnd();
  EXPECT_THAT(std::set<int>(log.results().begin(), log.results().end()), SizeIs(7));
  EXPECT_THAT(log.results(), SizeIs(7));
  EXPECT_TRUE(log.finished());
}

TEST_F(RestartTest, ACallIsTriedUntilTheServerComes) {
  v1::SubmitBatchRequest request = RequestOf(BatchOf(2, HandlerJob("echo")));
  request.set_request_id("asked before and after");
  const auto before = client_.Submit(request);
  ASSERT_TRUE(before.ok()) << before.status();
  End();
  absl::StatusOr<v1::Batch> after;
  std::thread asking([&] { after = client_.Submit(request); });
  Start();
  asking.join();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->id(), before->id());
  EXPECT_EQ(client_.Wait(after->id())->finished.succeeded(), 2);
}

}  // namespace
}  // namespace jobrunner
