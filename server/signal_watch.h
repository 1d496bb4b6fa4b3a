// What comes to the process from outside.

#pragma once

#include <functional>
#include <thread>

namespace jobrunner::server {

// Blocks SIGTERM, SIGINT and SIGHUP in the calling thread and in all that it starts from then on,
// so that they wait for SignalWatch, and ignores SIGPIPE. To be called before there is a second
// thread. A signal that the process was started to ignore (nohup) stays ignored.
void BlockSignals();

// A thread that waits for the signals that BlockSignals has blocked, and for the end of a
// descriptor.
class SignalWatch {
 public:
  // `came` is called on the watch's thread with each signal.
  // `ended` is called there once, when `life_fd`, an inherited pipe or socket, sees its end; -1:
  // none. The descriptor is owned from here on, and is not passed on to children.
  SignalWatch(std::function<void(int signal)> came, int life_fd, std::function<void()> ended);

  // Calls nothing any more. Blocks until a call that is under way returns.
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void Run();
  void ReadSignals();
  void ReadLife();

  const std::function<void(int)> came_;
  const std::function<void()> ended_;
  const int signal_fd_;
  const int stop_fd_;
  // -1 when there is none, or it has ended.
  int life_fd_;
  std::thread thread_;
};

}  // namespace jobrunner::server
