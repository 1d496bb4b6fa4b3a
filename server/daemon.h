// The life of the program.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <variant>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "jobrunner/config/v1/config.pb.h"
#include "server/flags.h"
#include "server/hard_exit.h"
#include "server/private_directory.h"

namespace jobrunner::base {
class SpdlogLogger;
}

namespace jobrunner::server {

class GrpcLog;
class Server;
class SignalWatch;

// Starts the server, does what signals and calls ask of it, and ends it: in order, or by force
// where the end does not come in time. To be made on the main thread before there is another one.
class Daemon {
 public:
  explicit Daemon(Flags flags);
  ~Daemon();

  // Serves until it is told to end. Returns the process's exit code: 0 after a clean drain; 1 when
  // it could not start, when the store failed, or when a second signal ended it; 2 for a
  // configuration that cannot be.
  int Run();

 private:
  // What can happen to it.
  struct SignalCame {
    int signal;
  };
  struct ParentGone {};
  struct DrainAsked {
    std::chrono::nanoseconds grace;
  };
  struct Drained {};
  struct StoreFailed {
    absl::Status status;
  };
  using Occurrence = std::variant<SignalCame, ParentGone, DrainAsked, Drained, StoreFailed>;

  absl::Status Start();
  absl::Status OpenLogs();
  absl::Status StartServer();
  // Says why on standard error.
  int Refuse(const absl::Status& status);
  void Serve();
  void End();
  [[noreturn]] void ExitHard();

  void Handle(const SignalCame& came);
  void Handle(const ParentGone&);
  void Handle(const DrainAsked& asked);
  void Handle(const Drained&);
  void Handle(const StoreFailed& failed);

  void Drain(std::chrono::nanoseconds grace);
  // The drain has not ended in its time.
  void CutDrainShort();
  void EndAtOnce();
  void Reload();
  void ReportDroppedLines();

  const Flags flags_;
  config::v1::Config config_;
  PrivateDirectory directory_;
  // Read by ExitHard's thread too.
  std::atomic<int> exit_code_ = 0;
  // Logs are closed, nothing runs: what is left is memory.
  std::atomic<bool> all_done_ = false;
  bool draining_ = false;
  base::SteadyTime drain_end_ = base::SteadyTime::max();
  bool ended_ = false;
  uint64_t dropped_reported_ = 0;

  base::Mailbox<Occurrence> occurrences_;
  HardExit hard_exit_;
  std::unique_ptr<SignalWatch> signals_;
  std::unique_ptr<base::SpdlogLogger> logger_;
  std::unique_ptr<GrpcLog> grpc_log_;
  std::unique_ptr<Server> server_;
};

}  // namespace jobrunner::server
