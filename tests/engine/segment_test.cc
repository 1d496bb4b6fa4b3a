#include "engine/segment.h"

#include "engine/limits.h"
#include "gtest/gtest.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::engine {
namespace {

class SegmentTest : public testing::Test {
 protected:
  static v1::Event Result(int64_t sequence) {
    v1::Event event;
    event.set_sequence(sequence);
    event.mutable_result()->set_output(std::string(static_cast<size_t>(sequence), 'x'));
    return event;
  }

  // Sequences 5 to 9.
  static std::shared_ptr<const Segment> FiveToNine() {
    SegmentBuilder builder(5);
    for (int64_t s = 5; s <= 9; ++s) builder.Add(Result(s));
    return builder.Build();
  }
};

TEST_F(SegmentTest, KnowsItsSequences) {
  const auto segment = FiveToNine();
  EXPECT_EQ(segment->first_sequence(), 5);
  EXPECT_EQ(segment->last_sequence(), 9);
  EXPECT_EQ(segment->size(), 5);
}

TEST_F(SegmentTest, GivesBackEachEvent) {
  const auto segment = FiveToNine();
  for (int64_t s = 5; s <= 9; ++s) {
    EXPECT_EQ(segment->EventAt(s).SerializeAsString(), Result(s).SerializeAsString());
    EXPECT_EQ(segment->KindOf(s), v1::EVENT_KIND_RESULT);
  }
}

TEST_F(SegmentTest, AnySliceIsTheBodyOfAResponse) {
  const auto segment = FiveToNine();
  for (int64_t first = 5; first <= 9; ++first) {
    for (int64_t last = first; last <= 9; ++last) {
      const std::string slice(segment->Slice(first, last));
      v1::StreamResultsResponse results;
      v1::RunBatchResponse run;
      ASSERT_TRUE(results.ParseFromString(slice));
      ASSERT_TRUE(run.ParseFromString(slice));
      ASSERT_EQ(results.events_size(), last - first + 1);
      ASSERT_EQ(run.events_size(), last - first + 1);
      EXPECT_EQ(results.events(0).sequence(), first);
      EXPECT_EQ(run.events(run.events_size() - 1).sequence(), last);
    }
  }
}

TEST_F(SegmentTest, KnowsEveryKind) {
  SegmentBuilder builder(1);
  std::vector<v1::Event> events(5);
  events[0].mutable_output();
  events[1].mutable_progress();
  events[2].mutable_attempt_error();
  events[3].mutable_result();
  events[4].mutable_batch_finished();
  for (const v1::Event& event : events) builder.Add(event);
  const auto segment = builder.Build();
  EXPECT_EQ(segment->KindOf(1), v1::EVENT_KIND_OUTPUT);
  EXPECT_EQ(segment->KindOf(2), v1::EVENT_KIND_PROGRESS);
  EXPECT_EQ(segment->KindOf(3), v1::EVENT_KIND_ATTEMPT_ERROR);
  EXPECT_EQ(segment->KindOf(4), v1::EVENT_KIND_RESULT);
  EXPECT_EQ(segment->KindOf(5), v1::EVENT_KIND_BATCH_FINISHED);
}

TEST_F(SegmentTest, IsFullByEventsOrByBytes) {
  SegmentBuilder many(1);
  for (int64_t i = 1; i < kEventsPerSegmentMax; ++i) many.Add(Result(1));
  EXPECT_FALSE(many.full());
  many.Add(Result(1));
  EXPECT_TRUE(many.full());
  SegmentBuilder large(1);
  large.Add(Result(kSegmentBytesMax));
  EXPECT_TRUE(large.full());
}

}  // namespace
}  // namespace jobrunner::engine
