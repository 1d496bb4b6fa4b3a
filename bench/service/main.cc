// service_bench: jobrunner through gRPC, beside what bounds it, in one run.
//
// usage: service_bench [batches | one_job | commands | cancel | queued]...   (without: all)

#include <sys/utsname.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/service/benches.h"

int main(int argc, char** argv) {
  using namespace jobrunner::bench;
  const std::map<std::string, std::function<void()>> benches = {{"batches", BenchBatches},
                                                                {"one_job", BenchOneJob},
                                                                {"commands", BenchCommands},
                                                                {"cancel", BenchCancel},
                                                                {"queued", BenchQueued}};
  std::vector<std::string> names(argv + 1, argv + argc);
  if (names.empty()) names = {"batches", "one_job", "commands", "cancel", "queued"};
  utsname machine{};
  uname(&machine);
  std::printf("%u cores, %s %s; nothing durable: the memory store\n\n",
              std::thread::hardware_concurrency(), machine.machine, machine.release);
  for (const std::string& name : names) {
    const auto found = benches.find(name);
    if (found == benches.end()) {
      std::fprintf(stderr, "service_bench: there is no bench \"%s\"\n", name.c_str());
      return 2;
    }
    found->second();
    std::fflush(stdout);
  }
}
