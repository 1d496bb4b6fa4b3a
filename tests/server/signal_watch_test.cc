#include "server/signal_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "absl/synchronization/notification.h"
#include "base/mailbox.h"

namespace jobrunner::server {
namespace {

class SignalWatchTest : public ::testing::Test {
 protected:
  SignalWatchTest() { BlockSignals(); }

  int NextSignal() {
    std::vector<int> taken;
    signals_.Take(&taken);
    return taken.front();
  }

  base::Mailbox<int> signals_;
};

TEST_F(SignalWatchTest, EachSignalIsToldOf) {
  SignalWatch watch([&](int signal) { signals_.Put(signal); }, -1, [] {});
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGTERM}) {
    kill(getpid(), signal);
    EXPECT_EQ(NextSignal(), signal);
  }
}

TEST_F(SignalWatchTest, ASignalThatCameBeforeTheWatchIsNotLost) {
  kill(getpid(), SIGHUP);
  SignalWatch watch([&](int signal) { signals_.Put(signal); }, -1, [] {});
  EXPECT_EQ(NextSignal(), SIGHUP);
}

TEST_F(SignalWatchTest, TheEndOfTheLifeDescriptorIsToldOfOnceAndNotWhatIsWrittenThere) {
  std::array<int, 2> life;
  ASSERT_EQ(pipe(life.data()), 0);
  absl::Notification ended;
  SignalWatch watch([&](int signal) { signals_.Put(signal); }, life[0], [&] { ended.Notify(); });
  ASSERT_EQ(write(life[1], "hello", 5), 5);
  kill(getpid(), SIGHUP);
  EXPECT_EQ(NextSignal(), SIGHUP);
  EXPECT_FALSE(ended.HasBeenNotified());
  EXPECT_NE(fcntl(life[0], F_GETFD) & FD_CLOEXEC, 0);
  close(life[1]);
  ended.WaitForNotification();
  kill(getpid(), SIGHUP);
  EXPECT_EQ(NextSignal(), SIGHUP);
}

}  // namespace
}  // namespace jobrunner::server
