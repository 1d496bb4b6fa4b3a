#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace jobrunner::client {

// A jobrunnerd of one's own: on a unix socket in a fresh directory that only its user can enter,
// with the memory store and any command allowed. It lives as long as this object, however the
// process ends: it holds the read end of a pipe whose write end is here alone, and ends at its end
// of file, removing the directory. It has a session of its own, so that Ctrl-C reaches this process
// alone.
class PrivateServer {
 public:
  struct Options {
    // Commands that run at once, at most.
    int workers_max = 1;
    // For every command.
    std::map<std::string, std::string> environment;
    // The jobrunnerd to start; empty: the one beside this program, or on the PATH.
    std::string program;
  };

  // Started and serving; blocks until then. To be called before the process uses gRPC. Errors: no
  // jobrunnerd was found; it ended at once, with what it said.
  static absl::StatusOr<std::unique_ptr<PrivateServer>> Start(const Options& options);

  // Lets the server end and waits until it has.
  ~PrivateServer();

  // As gRPC takes it.
  const std::string& address() const { return address_; }

  // Calls `on_end`, on a thread of its own, when the server ends by itself, with what it said.
  // nullptr: no longer; when Watch has returned, the former one is not running.
  void Watch(std::function<void(std::string said)> on_end);

 private:
  PrivateServer() = default;

  absl::Status MakeDirectory();
  absl::Status WriteConfiguration(const Options& options);
  absl::Status Spawn(const std::string& program);
  absl::Status AwaitServing();
  void AwaitEnd();
  // What it wrote to standard error.
  std::string Said() const;

  std::string directory_;
  std::string address_;
  pid_t pid_ = -1;
  int life_fd_ = -1;    // the pipe's write end
  int output_fd_ = -1;  // its standard output
  int said_fd_ = -1;    // a file with its standard error

  absl::Mutex mutex_;
  std::function<void(std::string)> on_end_ ABSL_GUARDED_BY(mutex_);

  std::thread watcher_;
};

}  // namespace jobrunner::client
