#pragma once

#include <cstdint>
#include <vector>

#include "workers/spawner/launch_pad.h"
#include "workers/spawner_protocol.h"

namespace jobrunner::workers {

// The packets from the server, read one at a time into one buffer.
class RequestReader {
 public:
  explicit RequestReader(int socket);

  enum class Result { kSpawn, kSignal, kNothing, kClosed };

  // Does not block. What was read before is gone, its descriptors closed.
  Result Read();

  // After kSignal.
  const SignalRequest& signal() const;

  // After kSpawn.
  uint64_t spawn_id() const;
  // False with *error set when the request came without what it needs.
  bool ParseSpawn(int null_input, CommandStart* start, int* error);
  // Those that came with what was read last.
  void CloseDescriptors();

 private:
  const SpawnRequest& spawn() const;
  char* Body(int* error);

  const int socket_;
  std::vector<char> packet_;
  std::vector<char> long_body_;
  std::vector<char*> strings_;
  int descriptors_[kDescriptorsMax];
  int descriptor_count_ = 0;
};

}  // namespace jobrunner::workers
