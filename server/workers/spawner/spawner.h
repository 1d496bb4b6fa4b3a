#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include "workers/spawner/launch_pad.h"
#include "workers/spawner/orphans.h"
#include "workers/spawner/request_reader.h"
#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// The spawner's work: starts commands, signals them, reaps them, ends what they leave behind, and
// tells the server. All on one thread, which must not be the process's first.
class Spawner {
 public:
  // `server` is a pidfd of the server's process, or -1.
  Spawner(int socket, int server, int null_input);

  // False when the kernel lacks something; then Run must not be called.
  bool Prepare();

  // Returns when the server is gone and everything that was started has been ended.
  void Run();

 private:
  // Commands that are on their way to execute at once.
  static constexpr int kPlaces = 16;

  // Where a request is read, and carried out from: it stays there until the command executes.
  struct Place {
    explicit Place(int socket) : request(socket) {}

    RequestReader request;
    LaunchPad pad;
  };
  struct Command {
    uint64_t id;
    int64_t start_ns;
    std::unique_ptr<LaunchFailure> failure;
  };
  // A command whose first process has ended, until what it left behind is gone.
  struct Ended {
    SpawnReport report;
    int64_t end_ns;
  };

  // Waits for requests, deaths, or the time at which a wait for orphans ends. Whether there are
  // requests, or the server is gone; while there are, deaths are not looked for.
  bool AwaitNews();
  void TakeRequests();
  // One whose pad is free. Blocks while there is none.
  Place& FreePlace();
  void StartOne(Place& place);
  void Signal(const SignalRequest& request);
  // Whether anything was reaped.
  bool ReapAll();
  void Reaped(pid_t pid, int status, const rusage& usage);
  SpawnReport ReportOf(const Command& command, int status, const rusage& usage) const;
  void SettleEnded();
  void Send(const SpawnReport& report);
  void EndEverything();

  const int socket_;
  const int server_;
  const int null_input_;
  bool server_gone_ = false;
  // Taken since deaths were looked at.
  int requests_in_a_row_ = 0;
  std::array<std::unique_ptr<Place>, kPlaces> places_;
  Orphans orphans_;
  std::unordered_map<pid_t, Command> commands_;
  std::unordered_map<uint64_t, pid_t> pids_;
  // In the order in which they ended.
  std::deque<Ended> ended_;
};

}  // namespace jobrunner::workers
