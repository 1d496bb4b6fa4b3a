#include "client/batch_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "client/fake_job_service.h"

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
    Interrupt never;
    batch_id_ = client_.SubmitBatch(request, {}, &never)->id();
  }

  BatchReader::Options Options() const {
    BatchReader::Options options;
    options.batch_id = batch_id_;
    options.backoff = {absl::ZeroDuration(), absl::ZeroDuration(), absl::Minutes(1)};
    return options;
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
  JobClient client_{service_.address()};
  std::string batch_id_;
  absl::Status status_;
};

TEST_F(BatchReaderTest, ReadsTheWholeLog) {
  BatchReader reader(&client_, Options());
  EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(status_.ok()) << status_;
  EXPECT_EQ(reader.last_sequence(), 6);
}

TEST_F(BatchReaderTest, GoesOnAfterTheLastEventWhereverTheStreamBreaks) {
  for (int after = 0; after <= 6; ++after) {
    service_.BreakNextStreams({{after, kAway}});
    BatchReader reader(&client_, Options());
    EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2, 3, 4, 5, 6)) << "broken after " << after;
    EXPECT_TRUE(status_.ok()) << status_;
    EXPECT_EQ(service_.breaks_left(), 0u);
  }
}

TEST_F(BatchReaderTest, SurvivesManyBreaksInARow) {
  service_.BreakNextStreams({{1, kAway}, {0, kEnded}, {0, kAway}, {2, kEnded}, {1, kAway}});
  BatchReader reader(&client_, Options());
  EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(service_.breaks_left(), 0u);
  EXPECT_EQ(service_.streams().back().after_sequence(), 4);
}

TEST_F(BatchReaderTest, DropsWhatItHasSeen) {
  service_.BreakNextStreams({{3, kAway}});
  service_.RepeatOnResume(2);
  BatchReader reader(&client_, Options());
  EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(BatchReaderTest, NoticesAGap) {
  service_.LeaveOut(4);
  BatchReader reader(&client_, Options());
  EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2, 3));
  EXPECT_EQ(status_.code(), absl::StatusCode::kDataLoss);
}

TEST_F(BatchReaderTest, BeginsWhereItIsTold) {
  BatchReader::Options options = Options();
  options.after_sequence = 4;
  BatchReader reader(&client_, options);
  EXPECT_THAT(ReadAll(&reader), ElementsAre(5, 6));
}

TEST_F(BatchReaderTest, AnUnknownBatchIsNotTriedAgain) {
  BatchReader::Options options = Options();
  options.batch_id = "nobody";
  BatchReader reader(&client_, options);
  EXPECT_THAT(ReadAll(&reader), IsEmpty());
  EXPECT_EQ(status_.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(service_.streams().size(), 1u);
}

TEST_F(BatchReaderTest, GivesUpWhenItsPatienceHasPassed) {
  service_.BreakNextStreams({{2, kAway}});
  BatchReader::Options options = Options();
  options.backoff.patience = absl::ZeroDuration();
  BatchReader reader(&client_, options);
  EXPECT_THAT(ReadAll(&reader), ElementsAre(1, 2));
  EXPECT_EQ(status_.code(), absl::StatusCode::kUnavailable);
}

TEST_F(BatchReaderTest, CancelEndsAReadThatWaits) {
  FakeJobService idle([](const v1::Job&) { return std::nullopt; });
  JobClient client(idle.address());
  v1::SubmitBatchRequest request;
  request.mutable_batch()->add_jobs();
  Interrupt never;
  BatchReader::Options options = Options();
  options.batch_id = client.SubmitBatch(request, {}, &never)->id();
  BatchReader reader(&client, options);
  std::thread other([&] { reader.Cancel(); });
  EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kCancelled);
  other.join();
}

TEST_F(BatchReaderTest, SubmitIsTriedAgainWithTheSameRequestId) {
  service_.RefuseNextSubmits({{kAway, false}, {kAway, true}});
  v1::SubmitBatchRequest request;
  request.mutable_batch()->add_jobs();
  Interrupt never;
  const auto batch = client_.SubmitBatch(request, Options().backoff, &never);
  ASSERT_TRUE(batch.ok()) << batch.status();
  const auto submits = service_.submits();
  ASSERT_EQ(submits.size(), 4u);
  EXPECT_FALSE(submits[1].request_id().empty());
  EXPECT_EQ(submits[1].request_id(), submits[3].request_id());
  EXPECT_EQ(batch->id(), "batch-2") << "the batch of the lost answer";
}

TEST_F(BatchReaderTest, ARefusedSubmitIsNotTriedAgain) {
  service_.RefuseNextSubmits({{{grpc::StatusCode::INVALID_ARGUMENT, "bad"}, false}});
  Interrupt never;
  EXPECT_EQ(client_.SubmitBatch({}, Options().backoff, &never).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace jobrunner::client
