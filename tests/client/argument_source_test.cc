#include "client/argument_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "client/inbox.h"

namespace jobrunner::client {
namespace {

using testing::ElementsAre;

// A source that reads a pipe which the test writes.
class ArgumentSourceTest : public testing::Test {
 protected:
  ArgumentSourceTest() { EXPECT_EQ(pipe(pipe_.data()), 0); }
  ~ArgumentSourceTest() override {
    source_.reset();
    close(pipe_[0]);
    CloseInput();
  }

  void Open(char separator) {
    source_ = std::make_unique<ArgumentSource>(pipe_[0], separator, [this] { changes_.PutNow(0); });
  }
  void Write(const std::string& text) {
    ASSERT_EQ(write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseInput() {
    if (pipe_[1] >= 0) close(pipe_[1]);
    pipe_[1] = -1;
  }
  void AwaitReady(size_t count) {
    while (source_->Look().ready < count) changes_.Take(absl::InfiniteFuture());
  }
  void AwaitEnd() {
    while (!source_->Look().ended) changes_.Take(absl::InfiniteFuture());
  }
  std::vector<std::string> TakeAll() { return source_->Take(SIZE_MAX, SIZE_MAX, 0); }

  std::array<int, 2> pipe_;
  Inbox<int> changes_{1};
  std::unique_ptr<ArgumentSource> source_;
};

TEST_F(ArgumentSourceTest, ALineIsThereWhileTheInputGoesOn) {
  Open('\n');
  Write("one\n");
  AwaitReady(1);
  EXPECT_THAT(TakeAll(), ElementsAre("one"));
  EXPECT_FALSE(source_->Look().ended);
}

TEST_F(ArgumentSourceTest, LinesMayComeInPiecesAndTheLastWithoutItsEnd) {
  Open('\n');
  Write("fir");
  Write("st\n\nla");
  Write("st");
  CloseInput();
  AwaitEnd();
  EXPECT_THAT(TakeAll(), ElementsAre("first", "", "last"));
}

TEST_F(ArgumentSourceTest, NulEndsArgumentsThatHoldNewlines) {
  Open('\0');
  Write(std::string("a\nb\0c\0", 6));
  CloseInput();
  AwaitEnd();
  EXPECT_THAT(TakeAll(), ElementsAre("a\nb", "c"));
}

TEST_F(ArgumentSourceTest, AnEndlessInputIsHeldBackUntilSomethingIsTaken) {
  Open('\n');
  const std::string line(99, 'x');
  std::string block;
  for (size_t i = 0; i < ArgumentSource::kHeldMax; ++i) block += line + "\n";
  // More than is held and what a pipe and the buffer have room for.
  std::thread writer([&] {
    Write(block);
    Write(block);
    CloseInput();
  });
  size_t taken = 0;
  while (!source_->Look().ended || source_->Look().ready > 0) {
    EXPECT_LT(source_->Look().ready, ArgumentSource::kHeldMax + 65536);
    taken += source_->Take(1'000, SIZE_MAX, 0).size();
    if (source_->Look().ready == 0 && !source_->Look().ended) changes_.Take(absl::InfiniteFuture());
  }
  writer.join();
  EXPECT_EQ(taken, 2 * ArgumentSource::kHeldMax);
}

TEST_F(ArgumentSourceTest, ItGoesAwayWhileItWaitsForInput) {
  Open('\n');
  source_.reset();
}

TEST(ArgumentSource, ListedArgumentsAreReadyAtOnce) {
  ArgumentSource source({"a", "b", "c"});
  EXPECT_TRUE(source.Look().ended);
  EXPECT_EQ(source.Look().ready, 3u);
  EXPECT_THAT(source.Take(2, SIZE_MAX, 0), ElementsAre("a", "b"));
}

TEST(ArgumentSource, TakesNoMoreBytesThanAskedButAtLeastOne) {
  ArgumentSource source({"12345", "12345", "12345"});
  EXPECT_THAT(source.Take(3, 14, 2), ElementsAre("12345", "12345"));
  EXPECT_THAT(source.Take(3, 1, 2), ElementsAre("12345"));
}

}  // namespace
}  // namespace jobrunner::client
