#include "storage/log_cache.h"

#include "gmock/gmock.h"

namespace jobrunner::storage {
namespace {

using Kind = LogUpdate::Kind;

// One event, of about so many bytes.
std::shared_ptr<const engine::Segment> Event(int64_t sequence, size_t bytes = 100) {
  engine::SegmentBuilder builder(sequence);
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_result()->set_output(std::string(bytes, 'x'));
  builder.Add(event);
  return builder.Build();
}

class LogCacheTest : public testing::Test {
 protected:
  void Grow(const std::string& batch_id, int64_t first, int64_t last) {
    for (int64_t sequence = first; sequence <= last; ++sequence) {
      cache_.Apply({{batch_id, Kind::kGrew, Event(sequence)}});
    }
  }
  // Whether what comes after the sequence is here.
  bool Has(const std::string& batch_id, int64_t after) {
    return cache_.Read(batch_id, after, 1).has_value();
  }

  // Room for about ten events.
  LogCache cache_{10 * Event(1)->ByteSize()};
};

TEST_F(LogCacheTest, HasTheNewestEventsOfAllLogsUpToItsBound) {
  cache_.Apply({{"a", Kind::kBegun, nullptr}, {"b", Kind::kBegun, nullptr}});
  Grow("a", 1, 6);
  EXPECT_TRUE(Has("a", 0));
  Grow("b", 1, 6);
  // The oldest two gave way, whosever they were.
  EXPECT_FALSE(Has("a", 0));
  EXPECT_FALSE(Has("a", 1));
  EXPECT_TRUE(Has("a", 2));
  EXPECT_TRUE(Has("b", 0));
  EXPECT_EQ(cache_.Find("a")->last_sequence, 6);
}

TEST_F(LogCacheTest, KnowsTheEndOfALogWhoseEventsAllGaveWay) {
  cache_.Apply({{"a", Kind::kBegun, nullptr}, {"b", Kind::kBegun, nullptr}});
  Grow("a", 1, 3);
  Grow("b", 1, 20);
  EXPECT_FALSE(Has("a", 2));
  ASSERT_TRUE(cache_.Find("a").has_value());
  EXPECT_EQ(cache_.Find("a")->last_sequence, 3);
  // There is nothing after the end, and that is known.
  ASSERT_TRUE(cache_.Read("a", 3, 1).has_value());
  EXPECT_TRUE(cache_.Read("a", 3, 1)->segments.empty());
}

TEST_F(LogCacheTest, ForgetsAFinishedBatchWithTheLastOfItsEvents) {
  cache_.Apply({{"a", Kind::kBegun, nullptr}, {"b", Kind::kBegun, nullptr}});
  Grow("a", 1, 3);
  cache_.Apply({{"a", Kind::kFinished, nullptr}});
  EXPECT_TRUE(cache_.Read("a", 0, 1 << 20)->finished);
  Grow("b", 1, 20);
  EXPECT_FALSE(cache_.Find("a").has_value());
}

TEST_F(LogCacheTest, ARemovedBatchStillCountsUntilItsEventsGaveWay) {
  cache_.Apply({{"a", Kind::kBegun, nullptr}, {"b", Kind::kBegun, nullptr}});
  Grow("a", 1, 9);
  cache_.Apply({{"a", Kind::kRemoved, nullptr}});
  EXPECT_FALSE(cache_.Find("a").has_value());
  Grow("b", 1, 10);
  EXPECT_TRUE(Has("b", 0));
  Grow("b", 11, 11);
  EXPECT_FALSE(Has("b", 0));
}

TEST_F(LogCacheTest, AnEventThatIsLargerThanTheBoundIsNotHeld) {
  cache_.Apply({{"a", Kind::kBegun, nullptr}, {"a", Kind::kGrew, Event(1, 1 << 20)}});
  EXPECT_FALSE(Has("a", 0));
  EXPECT_EQ(cache_.Find("a")->last_sequence, 1);
}

TEST_F(LogCacheTest, GoesOnWithALogThatWasThereBefore) {
  cache_.Resume("a", 7);
  EXPECT_FALSE(Has("a", 6));
  Grow("a", 8, 9);
  EXPECT_TRUE(Has("a", 7));
  EXPECT_FALSE(Has("a", 6));
}

}  // namespace
}  // namespace jobrunner::storage
