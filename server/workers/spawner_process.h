#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/spawner_protocol.h"
#include "workers/unique_fd.h"

namespace jobrunner::workers {

// A command to be started, as it goes to the spawner.
struct SpawnOrder {
  uint64_t id = 0;
  // As spawner_protocol.h lays it out.
  std::string_view body;
  uint32_t arguments = 0;
  uint32_t variables = 0;
  UniqueFd output;
  UniqueFd error_output;
  // Not open: /dev/null.
  UniqueFd input;
};

// The server's end of its spawner process: a small program of ours that starts all commands, so
// that this process never forks, whatever threads it has, and that ends them all when this process
// is gone, however it went. One thread uses it; nothing but the destructor blocks.
class SpawnerProcess {
 public:
  struct Options {
    // What commands get as their soft limit of descriptors.
    uint64_t open_files = 0;
    // A descriptor that the process gets a copy of, and holds open until all that it started is
    // gone, also when this process has died before: who waits for a lock on it waits for that. -1:
    // none.
    int held_fd = -1;
  };

  // Starts the process. UNAVAILABLE with the reason when the machine does not let it.
  static absl::StatusOr<std::unique_ptr<SpawnerProcess>> Start(const Options& options);

  // Returns when everything that it started has been ended.
  ~SpawnerProcess();

  // Becomes readable when there are reports, or the spawner has died; writable when what is queued
  // can go on.
  int socket() const { return socket_.get(); }

  // Sends, or queues behind what is queued.
  void Spawn(SpawnOrder order);
  void Signal(uint64_t id, int signal);

  // Sends what is queued as far as it goes.
  void Flush();
  bool has_queued() const { return !queue_.empty(); }

  // Appends the reports that are there. False when the spawner has died.
  bool ReadReports(std::vector<SpawnReport>* reports);

 private:
  struct Packet {
    std::string bytes;
    std::vector<UniqueFd> descriptors;
  };

  SpawnerProcess(UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  void Enqueue(Packet packet);
  // False when it has to wait for room.
  bool Send(const Packet& packet);

  UniqueFd socket_;
  const pid_t pid_;
  std::deque<Packet> queue_;
};

}  // namespace jobrunner::workers
