#include "rpc/event_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/limits.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/message_bytes.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A segment of events that are results (r), attempt errors (e) or the end (f).
std::shared_ptr<const engine::Segment> SegmentOf(int64_t first, const std::string& kinds,
                                                 size_t output_bytes = 0) {
  engine::SegmentBuilder builder(first);
  for (const char kind : kinds) {
    v1::Event event;
    event.set_sequence(builder.next_sequence());
    if (kind == 'r') event.mutable_result()->set_output(std::string(output_bytes, 'x'));
    if (kind == 'e') event.mutable_attempt_error()->set_attempt(1);
    if (kind == 'f') event.mutable_batch_finished();
    builder.Add(event);
  }
  return builder.Build();
}

std::vector<int64_t> SequencesIn(EventMessage& message) {
  v1::StreamResultsResponse response;
  EXPECT_TRUE(ParseMessage(message.Build(), &response).ok());
  std::vector<int64_t> sequences;
  for (const v1::Event& event : response.events()) sequences.push_back(event.sequence());
  return sequences;
}

const KindFilter kAll;

TEST(EventMessage, HasTheEventsAfterASequence) {
  EventMessage message(3, kAll);
  EXPECT_TRUE(message.Add(SegmentOf(1, "rr")));
  EXPECT_TRUE(message.Add(SegmentOf(3, "rrr")));
  EXPECT_TRUE(message.Add(SegmentOf(6, "f")));
  EXPECT_THAT(SequencesIn(message), ElementsAre(4, 5, 6));
  EXPECT_EQ(message.last_sequence(), 6);
}

TEST(EventMessage, IsEmptyWhereThereIsNothingNew) {
  EventMessage message(2, kAll);
  EXPECT_TRUE(message.Add(SegmentOf(1, "rr")));
  EXPECT_TRUE(message.empty());
  EXPECT_EQ(message.last_sequence(), 2);
}

TEST(EventMessage, LeavesOutWhatIsNotWantedButNotTheEnd) {
  const KindFilter filter({v1::EVENT_KIND_ATTEMPT_ERROR});
  EventMessage message(0, filter);
  EXPECT_TRUE(message.Add(SegmentOf(1, "reerref")));
  EXPECT_THAT(SequencesIn(message), ElementsAre(2, 3, 6, 7));
}

TEST(EventMessage, MovesPastWhatIsNotWanted) {
  const KindFilter filter({v1::EVENT_KIND_ATTEMPT_ERROR});
  EventMessage message(0, filter);
  EXPECT_TRUE(message.Add(SegmentOf(1, "rrr")));
  EXPECT_TRUE(message.empty());
  EXPECT_EQ(message.last_sequence(), 3);
}

TEST(EventMessage, TakesNoMoreThanAMebibyte) {
  EventMessage message(0, kAll);
  EXPECT_FALSE(message.Add(SegmentOf(1, "rrrrrrrrrrrr", 100'000)));
  EXPECT_EQ(message.last_sequence(), 10);
  EXPECT_LE(message.Build().Length(), static_cast<size_t>(engine::kMessageBytesMax));
  EXPECT_FALSE(message.Add(SegmentOf(11, "rr", 100'000)));
  EXPECT_EQ(message.last_sequence(), 10);
}

TEST(EventMessage, TakesOneEventHoweverLarge) {
  EventMessage message(0, kAll);
  EXPECT_FALSE(message.Add(SegmentOf(1, "rr", 2 << 20)));
  EXPECT_THAT(SequencesIn(message), ElementsAre(1));
}

TEST(EventMessage, MayBeginWithOtherFields) {
  v1::RunBatchResponse head;
  head.mutable_batch()->set_id("id");
  EventMessage message(0, kAll);
  message.AddHead(head.SerializeAsString());
  EXPECT_TRUE(message.Add(SegmentOf(1, "rf")));
  v1::RunBatchResponse response;
  ASSERT_TRUE(ParseMessage(message.Build(), &response).ok());
  EXPECT_EQ(response.batch().id(), "id");
  EXPECT_EQ(response.events_size(), 2);
}

TEST(EventMessage, IsMadeOfTheBytesThatWereStored) {
  const auto segment = SegmentOf(1, "rrf", 2000);
  EventMessage message(1, kAll);
  message.Add(segment);
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(message.Build().Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(static_cast<const void*>(slices[0].begin()), segment->Slice(2, 3).data())
      << "not a copy of them";
  EXPECT_EQ(slices[0].size(), segment->Slice(2, 3).size());
  EXPECT_EQ(message.events(), 2);
}

TEST(EventMessage, GathersSmallSegmentsInASliceOfTheirOwn) {
  EventMessage message(0, kAll);
  for (int64_t sequence = 1; sequence <= 100; ++sequence) message.Add(SegmentOf(sequence, "r"));
  message.Add(SegmentOf(101, "rr", 1000));
  message.Add(SegmentOf(103, "f"));
  grpc::ByteBuffer bytes = message.Build();
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(bytes.Dump(&slices).ok());
  EXPECT_EQ(slices.size(), 3u) << "the small, the large one, what follows it";
  v1::StreamResultsResponse response;
  ASSERT_TRUE(ParseMessage(bytes, &response).ok());
  ASSERT_EQ(response.events_size(), 103);
  for (int i = 0; i < 103; ++i) EXPECT_EQ(response.events(i).sequence(), i + 1);
}

TEST(EventMessage, HoldsItsSegmentsUntilItIsSent) {
  auto segment = SegmentOf(1, "rr", 1000);
  const std::weak_ptr<const engine::Segment> held = segment;
  grpc::ByteBuffer bytes;
  {
    EventMessage message(0, kAll);
    message.Add(segment);
    bytes = message.Build();
  }
  segment = nullptr;
  EXPECT_FALSE(held.expired());
  bytes.Clear();
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace jobrunner::rpc
