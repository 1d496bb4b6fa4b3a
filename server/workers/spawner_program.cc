#include "workers/spawner_program.h"

// The build makes the program first and names its file.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "jobrunner_spawner_begin:\n"
    ".incbin \"" JOBRUNNER_SPAWNER_FILE
    "\"\n"
    "jobrunner_spawner_end:\n"
    ".previous\n");

extern "C" {
extern const char jobrunner_spawner_begin[] __attribute__((visibility("hidden")));
extern const char jobrunner_spawner_end[] __attribute__((visibility("hidden")));
}

namespace jobrunner::workers {

std::string_view SpawnerProgram() {
  return {jobrunner_spawner_begin,
          static_cast<size_t>(jobrunner_spawner_end - jobrunner_spawner_begin)};
}

}  // namespace jobrunner::workers
