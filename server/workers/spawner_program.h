#pragma once

#include <string_view>

namespace jobrunner::workers {

// The program of the spawner process, an ELF file.
std::string_view SpawnerProgram();

}  // namespace jobrunner::workers
