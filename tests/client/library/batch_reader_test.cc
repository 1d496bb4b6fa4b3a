#include "client/library/batch_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "client/fake_job_service.h"
#include "client/library/client.h"

namespace jobrunner::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const grpc::Status kAway(grpc::StatusCode::UNAVAILABLE, "away");
const grpc::Status kEnded(grpc::StatusCode::CANCELLED, "call ended");

// Reads a batch of five jobs, whose log has six events.
class BatchReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    v1::SubmitBatchRequest request;
    for (int i = 0; i < 5; ++i) request.mutable_batch()->add_jobs()->set_key(std::to_string(i));
    batch_id_ = Client(service_.address()).Submit(request)->id();
  }

  v1::StreamResultsRequest Request() const {
    v1::StreamResultsRequest request;
    request.set_batch_id(batch_id_);
    request.set_follow(true);
    return request;
  }

  std::unique_ptr<BatchReader> Read(const v1::StreamResultsRequest& request) {
    return Client(service_.address(), limits_).Results(request);
  }

  // The sequences it reads to the end or to an error, which is kept.
  std::vector<int64_t> ReadAll(BatchReader* reader) {
    std::vector<int64_t> sequences;
    for (;;) {
      const auto response = reader->Next();
      status_ = response.status();
      if (!response.ok() || !response->has_value()) return sequences;
      for (const auto& event : (*response)->events()) sequences.push_back(event.sequence());
    }
  }

  FakeJobService service_{[](const v1::Job& job) { return Succeeded(job.key()); }};
  RetryLimits limits_{.pause_min = {}, .pause_max = {}};
  std::string batch_id_;
  absl::Status status_;
};

TEST_F(BatchReaderTest, ReadsTheWholeLog) {
  const auto reader = Read(Request());
  EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(reader->last_sequence(), 6);
}

TEST_F(BatchReaderTest, GoesOnAfterTheLastEventWhereverTheStreamBreaks) {
  for (int after = 0; after <= 6; ++after) {
    service_.BreakNextStreams({{after, kAway}});
    const auto reader = Read(Request());
    EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3, 4, 5, 6)) << "broken after " << after;
    EXPECT_TRUE(status_.ok()) << status_;
    EXPECT_EQ(service_.breaks_left(), 0u);
  }
}

TEST_F(BatchReaderTest, SurvivesManyBreaksInARow) {
  service_.BreakNextStreams({{1, kAway}, {0, kEnded}, {0, kAway}, {2, kEnded}, {1, kAway}});
  const auto reader = Read(Request());
  EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(service_.breaks_left(), 0u);
  EXPECT_EQ(service_.streams().back().after_sequence(), 4);
}

TEST_F(BatchReaderTest, DropsWhatItHasSeen) {
  service_.BreakNextStreams({{3, kAway}});
  service_.RepeatOnResume(2);
  const auto reader = Read(Request());
  EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(BatchReaderTest, NoticesAGap) {
  service_.LeaveOut(4);
  const auto reader = Read(Request());
  EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3));
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
}

TEST_F(BatchReaderTest, BeginsWhereItIsTold) {
  v1::StreamResultsRequest request = Request();
  request.set_after_sequence(4);
  EXPECT_THAT(ReadAll(Read(request).get()), ElementsAre(5, 6));
}

TEST_F(BatchReaderTest, AnUnknownBatchIsNotTriedAgain) {
  v1::StreamResultsRequest request = Request();
  request.set_batch_id("nobody");
  EXPECT_THAT(ReadAll(Read(request).get()), IsEmpty());
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(service_.streams().size(), 1u);
}

TEST_F(BatchReaderTest, GivesUpWhenItsPatienceHasPassed) {
  limits_.patience = absl::Nanoseconds(1);
  service_.BreakNextStreams({{2, kAway}, {0, kAway}});
  EXPECT_THAT(ReadAll(Read(Request()).get()), ElementsAre(1, 2));
  EXPECT_EQ(status_.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status_.message(), "given up after 1ns: away");
  EXPECT_EQ(service_.breaks_left(), 0u);
}

TEST_F(BatchReaderTest, WithoutPatienceTriesOnce) {
  limits_.patience = absl::ZeroDuration();
  service_.BreakNextStreams({{2, kAway}});
  EXPECT_THAT(ReadAll(Read(Request()).get()), ElementsAre(1, 2));
  EXPECT_EQ(status_.message(), "away");
}

// Each quiet stream of them was served, so that no patience is used up.
TEST_F(BatchReaderTest, AQuietBatchIsReadOverAnyNumberOfBreaks) {
  limits_.patience = absl::Nanoseconds(1);
  limits_.served_after = absl::ZeroDuration();
  service_.BreakNextStreams({{0, kAway}, {0, kAway}, {0, kAway}, {0, kAway}});
  EXPECT_THAT(ReadAll(Read(Request()).get()), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(service_.breaks_left(), 0u);
}

TEST_F(BatchReaderTest, GoesOnWithoutItsClient) {
  std::unique_ptr<BatchReader> reader;
  {
    Client client(service_.address());
    reader = client.Results(batch_id_);
  }
  EXPECT_THAT(ReadAll(reader.get()), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(BatchReaderTest, SubmitIsTriedAgainWithTheSameRequestId) {
  service_.RefuseNextSubmits({{kAway, false}, {kAway, true}});
  v1::SubmitBatchRequest request;
  request.mutable_batch()->add_jobs();
  const auto batch = Client(service_.address(), limits_).Submit(request);
  ASSERT_TRUE(batch.ok()) << batch.status();
  const auto submits = service_.submits();
  ASSERT_EQ(submits.size(), 4u);
  EXPECT_FALSE(submits[1].request_id().empty());
  EXPECT_EQ(submits[1].request_id(), submits[3].request_id());
  EXPECT_EQ(batch->id(), "batch-2") << "the batch of the lost answer";
}

TEST_F(BatchReaderTest, ARefusedSubmitIsNotTriedAgain) {
  service_.RefuseNextSubmits({{{grpc::StatusCode::INVALID_ARGUMENT, "bad"}, false}});
  EXPECT_EQ(Client(service_.address(), limits_).Submit({}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// A server that is never reached: beginning blocks until it is cancelled.
class UnreachedStream final : public BatchReader::Stream {
 public:
  explicit UnreachedStream(absl::Notification* begun) : begun_(begun) {}

  void Begin() override {
    begun_->Notify();
    cancelled_.WaitForNotification();
  }
  bool Read(v1::StreamResultsResponse* /*response*/) override { return false; }
  absl::Status Finish() override { return absl::CancelledError("stopped"); }
  void Cancel() override { cancelled_.Notify(); }

 private:
  absl::Notification* const begun_;
  absl::Notification cancelled_;
};

TEST(BatchReaderStopTest, AStopEndsTheWaitForAConnection) {
  absl::Notification begun;
  const auto open = [&](const v1::StreamResultsRequest&, absl::Duration) {
    return std::make_unique<UnreachedStream>(&begun);
  };
  std::stop_source stop;
  BatchReader reader(open, {}, {}, {.stop = stop.get_token()});
  std::thread stopping([&] {
    begun.WaitForNotification();
    stop.request_stop();
  });
  EXPECT_TRUE(absl::IsCancelled(reader.Next().status()));
  stopping.join();
}

}  // namespace
}  // namespace jobrunner::client
