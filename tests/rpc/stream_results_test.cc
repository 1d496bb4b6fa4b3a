#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNoBatch[] = "01890000-0000-7000-8000-000000000000";

class StreamResults : public OverEachStore {
 protected:
  // The end of a stream, whose events go to events_.
  grpc::Status Read(const v1::StreamResultsRequest& request) {
    grpc::ClientContext context;
    const auto reader = served_.jobs().StreamResults(&context, request);
    events_ = ReadAll(*reader, v1::StreamResultsResponse());
    return reader->Finish();
  }
  static v1::StreamResultsRequest RequestFor(const std::string& batch_id, bool follow = true) {
    v1::StreamResultsRequest request;
    request.set_batch_id(batch_id);
    request.set_follow(follow);
    return request;
  }
  std::vector<int64_t> Sequences() const {
    std::vector<int64_t> sequences;
    for (const v1::Event& event : events_) sequences.push_back(event.sequence());
    return sequences;
  }

  Served served_{OnStore()};
  std::vector<v1::Event> events_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StreamResults, EachStore(), NameOfStore);

TEST_P(StreamResults, ShowsTheWholeLog) {
  const v1::Batch batch = Submit(served_, BatchOf(1000, HandlerJob("echo", "x")));
  ASSERT_TRUE(Read(RequestFor(batch.id())).ok());
  ASSERT_THAT(events_, SizeIs(1001));
  for (int64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(events_[i].sequence(), i + 1);
    EXPECT_EQ(events_[i].result().output(), "x");
  }
  EXPECT_EQ(events_[1000].batch_finished().succeeded(), 1000);
}

TEST_P(StreamResults, GoesOnAfterAnySequence) {
  const v1::Batch batch = Submit(served_, BatchOf(50, HandlerJob("echo", "x")));
  ASSERT_TRUE(Read(RequestFor(batch.id())).ok());
  const auto all = events_;
  for (int64_t after = 0; after <= 51; ++after) {
    v1::StreamResultsRequest request = RequestFor(batch.id());
    request.set_after_sequence(after);
    ASSERT_TRUE(Read(request).ok());
    ASSERT_EQ(events_.size(), all.size() - after) << after;
    for (size_t i = 0; i < events_.size(); ++i) {
      EXPECT_EQ(events_[i].SerializeAsString(), all[after + i].SerializeAsString());
    }
  }
}

TEST_P(StreamResults, PastTheEndOfAFinishedLogThereIsNothing) {
  const v1::Batch batch = Submit(served_, BatchOf(1, HandlerJob("echo")));
  ASSERT_TRUE(Read(RequestFor(batch.id())).ok());
  v1::StreamResultsRequest request = RequestFor(batch.id());
  request.set_after_sequence(1000);
  EXPECT_TRUE(Read(request).ok());
  EXPECT_THAT(events_, IsEmpty());
}

TEST_P(StreamResults, ShowsEventsAsTheyHappen) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo", "first"));
  *spec.add_jobs() = HandlerJob("hold");
  const v1::Batch batch = Submit(served_, spec);
  grpc::ClientContext context;
  const auto reader = served_.jobs().StreamResults(&context, RequestFor(batch.id()));
  v1::StreamResultsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_THAT(response.events(), SizeIs(1));
  EXPECT_EQ(response.events(0).result().output(), "first");
  served_.gate().Open();
  EXPECT_THAT(ReadAll(*reader, response), SizeIs(2));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_P(StreamResults, WithoutFollowEndsWithWhatThereIs) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo"));
  *spec.add_jobs() = HandlerJob("hold");
  const v1::Batch batch = Submit(served_, spec);
  grpc::ClientContext context;
  const auto following = served_.jobs().StreamResults(&context, RequestFor(batch.id()));
  v1::StreamResultsResponse response;
  ASSERT_TRUE(following->Read(&response));

  EXPECT_TRUE(Read(RequestFor(batch.id(), /*follow=*/false)).ok());
  EXPECT_THAT(Sequences(), ElementsAre(1));
  context.TryCancel();
}

TEST_P(StreamResults, ShowsTheKindsAskedForAndTheEnd) {
  v1::BatchSpec spec = BatchOf(200, HandlerJob("echo"));
  v1::Job failing = HandlerJob("fail", R"({"message": "no", "succeed_on_attempt": 2})");
  failing.mutable_options()->mutable_retry_policy()->set_max_attempts(2);
  failing.mutable_options()->mutable_retry_policy()->mutable_initial_backoff();
  *spec.add_jobs() = failing;
  const v1::Batch batch = Submit(served_, spec);
  v1::StreamResultsRequest request = RequestFor(batch.id());
  request.add_kinds(v1::EVENT_KIND_ATTEMPT_ERROR);
  ASSERT_TRUE(Read(request).ok());
  ASSERT_THAT(events_, SizeIs(2));
  EXPECT_TRUE(events_[0].has_attempt_error());
  EXPECT_TRUE(events_[0].attempt_error().will_retry());
  EXPECT_TRUE(events_[1].has_batch_finished());
  EXPECT_EQ(events_[1].sequence(), 203);
}

TEST_P(StreamResults, ServesManyReadersAtOnce) {
  v1::BatchSpec spec = BatchOf(2000, HandlerJob("echo", std::string(100, 'x')));
  *spec.mutable_jobs(1000) = HandlerJob("hold");
  const v1::Batch batch = Submit(served_, spec);
  std::vector<std::thread> readers;
  std::vector<size_t> seen(16);
  for (size_t i = 0; i < seen.size(); ++i) {
    readers.emplace_back([&, i] {
      const auto events = Results(served_, batch.id());
      seen[i] = events.size();
      for (size_t j = 0; j < events.size(); ++j) {
        if (events[j].sequence() != static_cast<int64_t>(j + 1)) seen[i] = 0;
      }
    });
  }
  served_.gate().AwaitHeld(1);
  served_.gate().Open();
  for (std::thread& reader : readers) reader.join();
  for (const size_t count : seen) EXPECT_EQ(count, 2001u);
}

TEST_P(StreamResults, KeepsMessagesWithinAMebibyte) {
  const v1::Batch batch =
      Submit(served_, BatchOf(60, HandlerJob("echo", std::string(100'000, 'x'))));
  Results(served_, batch.id());
  grpc::ClientContext context;
  const auto reader = served_.jobs().StreamResults(&context, RequestFor(batch.id()));
  v1::StreamResultsResponse response;
  size_t events = 0;
  while (reader->Read(&response)) {
    EXPECT_LE(response.ByteSizeLong(), size_t{1} << 20);
    events += response.events_size();
  }
  EXPECT_EQ(events, 61u);
}

TEST_P(StreamResults, AReaderThatStallsDelaysNobody) {
  const v1::Batch batch =
      Submit(served_, BatchOf(300, HandlerJob("echo", std::string(200'000, 'x'))));
  grpc::ClientContext context;
  const auto stalled = served_.jobs().StreamResults(&context, RequestFor(batch.id()));
  v1::StreamResultsResponse response;
  ASSERT_TRUE(stalled->Read(&response));
  // 60 MB, of which the other one reads nothing meanwhile.
  EXPECT_THAT(Results(served_, batch.id()), SizeIs(301));
  size_t events = response.events_size();
  events += ReadAll(*stalled, response).size();
  EXPECT_EQ(events, 301u);
  EXPECT_TRUE(stalled->Finish().ok());
}

TEST_P(StreamResults, DoesNotFindWhatIsNotThere) {
  for (const std::string id : {"", "x", kNoBatch, "01890000-0000-7000-8000-00000000000g"}) {
    const grpc::Status status = Read(RequestFor(id));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << id;
    EXPECT_EQ(ReasonIn(status), "BATCH_NOT_FOUND") << id;
  }
}

TEST_P(StreamResults, RefusesWhatMakesNoSense) {
  v1::StreamResultsRequest request = RequestFor(kNoBatch);
  request.set_after_sequence(-1);
  EXPECT_THAT(FieldsIn(Read(request)), ElementsAre("after_sequence"));
  request = RequestFor(kNoBatch);
  request.add_kinds(v1::EVENT_KIND_RESULT);
  request.add_kinds(static_cast<v1::EventKind>(77));
  EXPECT_THAT(FieldsIn(Read(request)), ElementsAre("kinds[1]"));
  request = RequestFor(kNoBatch, /*follow=*/false);
  request.set_cancel_on_disconnect(true);
  EXPECT_THAT(FieldsIn(Read(request)), ElementsAre("cancel_on_disconnect"));
}

// Takes the ten seconds that a reader has to come back.
TEST(LastReaderOfABatch, CancelsItByLeavingIfItSaidSo) {
  Served served;
  const v1::Batch batch = Submit(served, BatchOf(1, HandlerJob("hold")));
  served.gate().AwaitHeld(1);
  v1::StreamResultsRequest request;
  request.set_batch_id(batch.id());
  request.set_follow(true);
  request.set_cancel_on_disconnect(true);
  {
    grpc::ClientContext context;
    const auto leaving = served.jobs().StreamResults(&context, request);
    leaving->WaitForInitialMetadata();
    context.TryCancel();
    leaving->Finish();
  }
  const auto events = Results(served, batch.id());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].result().error().reason(), v1::REASON_CLIENT_DISCONNECTED);
}

}  // namespace
}  // namespace jobrunner::rpc
