// Threads that serve connections.

#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "web/peer_stream.h"

namespace jobrunner::web {

// A few threads that serve one request of each connection. Slow peers hold nobody up: when every
// thread is taken, the connection that has waited for its peer the longest is ended for the next
// one.
//
// Any thread may call it. Only Stop blocks.
class ConnectionPool {
 public:
  struct Options {
    int threads = 8;
    // Connections that wait for a thread; more are closed at once.
    size_t waiting_max = 256;
    // From accept to the last byte of the answer.
    std::chrono::milliseconds timeout{5000};
  };
  // Serves one request. Called on many threads at once.
  using Serve = std::function<void(PeerStream& stream)>;

  // `stop_fd` as PeerStream has it; it must be readable before Stop is called.
  ConnectionPool(Options options, int stop_fd, Serve serve);
  // Stops.
  ~ConnectionPool();

  // Takes the descriptor over.
  void Add(int fd) ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers what is being answered, closes what waits, ends the threads. Safe to call twice.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the connection that has waited the longest, if another one is short of a thread for it.
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const int stop_fd_;
  const Serve serve_;

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<std::unique_ptr<PeerStream>> waiting_ ABSL_GUARDED_BY(mutex_);
  // Being served, in the order in which they came; without those already interrupted.
  std::deque<PeerStream*> serving_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::thread> threads_;
};

}  // namespace jobrunner::web
