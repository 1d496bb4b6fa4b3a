// What a test and the server under it share.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace jobrunner::crash {

// What a process can be killed at; bits of Control::calls. All but kTorn and kSent are of files
// under the watched directory, and come after the call has done its work and before its caller
// knows.
enum Call : uint32_t {
  kWritten = 1,
  // Half of what was to be written is.
  kTorn = 2,
  kSynced = 4,
  kRenamed = 8,
  kUnlinked = 16,
  kLinked = 32,
  kCreated = 64,
  // A message went out on a socket.
  kSent = 128,
};

// The bytes of a file that both have mapped. lossy_disk.py has the same layout; all of it is zero
// in the beginning.
struct Control {
  // By the test. While it is not 0 the calls that meet all that follows are counted down.
  std::atomic<uint32_t> armed;
  // Which calls.
  uint32_t calls;
  // The process dies at the one that makes it 0.
  std::atomic<int32_t> countdown;
  // What the file's path, from the watched directory on, begins and ends with.
  std::array<char, 32> path_begin;
  std::array<char, 32> path_end;
  // What the thread's name begins with.
  std::array<char, 16> thread;
  // What the bytes that are written or sent contain; none if the size is 0.
  uint32_t pattern_size;
  std::array<char, 32> pattern;

  // By the process: 1 once it is killed, and where, as "CALL FILE".
  std::atomic<uint32_t> fired;
  // Of the calls above, those of files since the process began.
  std::atomic<uint32_t> file_calls;
  std::array<char, 256> fired_at;
};
static_assert(sizeof(Control) == 392);

}  // namespace jobrunner::crash
