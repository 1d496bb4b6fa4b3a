#include "bench/service/scratch_directory.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace jobrunner::bench {

ScratchDirectory::ScratchDirectory() {
  path_ = std::filesystem::temp_directory_path() / "jobrunner_bench_XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    std::perror("bench: mkdtemp");
    std::abort();
  }
}

ScratchDirectory::~ScratchDirectory() { std::filesystem::remove_all(path_); }

}  // namespace jobrunner::bench
