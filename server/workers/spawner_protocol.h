// What the server and its spawner process say to each other, over a SOCK_SEQPACKET socket pair: one
// message is one packet.
//
//   server → spawner:  SpawnRequest + body + descriptors | SignalRequest
//   spawner → server:  SpawnReport, exactly one for each SpawnRequest
//
//   body        = path NUL working_directory NUL argument{arguments} variable{variables}
//   argument    = bytes NUL
//   variable    = name "=" value NUL
//   descriptors = standard output, standard error, [standard input], [body]
//
// The working directory may be empty: then it is the spawner's. A body that is longer than
// kBodyBytesInline travels as a memory file, the last descriptor. Both ends are of the same build,
// so the structs travel as they are.

#pragma once

#include <cstdint>

namespace jobrunner::workers {

inline constexpr int kSpawnerSocket = 3;
// Where the spawner's own program is open when it starts.
inline constexpr int kSpawnerProgram = 4;
// What it holds open until all that it started is gone.
inline constexpr int kSpawnerHeld = 5;

inline constexpr uint32_t kBodyBytesInline = 32 << 10;
inline constexpr int kDescriptorsMax = 4;

enum class RequestKind : uint32_t { kSpawn = 1, kSignal = 2 };

struct SpawnRequest {
  RequestKind kind = RequestKind::kSpawn;
  uint32_t body_bytes = 0;
  uint64_t id = 0;
  uint32_t arguments = 0;
  uint32_t variables = 0;
  // 0: standard input is /dev/null.
  uint32_t has_input = 0;
  uint32_t unused = 0;
};

// To the process group of a command. One that has ended is ignored.
struct SignalRequest {
  RequestKind kind = RequestKind::kSignal;
  int32_t signal = 0;
  uint64_t id = 0;
};

// How far the start of a command came.
enum class SpawnStep : int32_t {
  kStarted = 0,
  // The request could not be taken: too few descriptors or too little memory in the spawner.
  kRequest,
  kProcess,
  kSession,
  kStandardFiles,
  kWorkingDirectory,
  kExecute,
};

// The command has ended and nothing it started is alive, except for `survivors`; or it did not
// start.
struct SpawnReport {
  uint64_t id = 0;
  // Unless it is kStarted, only `error` means anything besides.
  SpawnStep step = SpawnStep::kStarted;
  // An errno.
  int32_t error = 0;
  // As wait(2) tells it.
  int32_t wait_status = 0;
  // Processes that could not be ended.
  int32_t survivors = 0;
  int64_t run_ns = 0;
  int64_t user_us = 0;
  int64_t system_us = 0;
  int64_t max_resident_kib = 0;
};

}  // namespace jobrunner::workers
