// service_bench: jobrunner through gRPC, beside what bounds it, in one run.
//
// usage: service_bench [batches | one_job | commands | http | cancel | queued |
//                       durable_batches | durable_one_job | durable_queued | start | readers |
//                       idle_readers | remote_jobs | remote_one_job |
//                       lost_worker | idle_workers]...
//        (without: all)

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/service/benches.h"

int main(int argc, char** argv) {
  using namespace jobrunner::bench;
  const std::vector<std::pair<std::string, std::function<void()>>> benches = {
      {"batches", BenchBatches},
      {"one_job", BenchOneJob},
      {"commands", BenchCommands},
      {"http", BenchHttp},
      {"cancel", BenchCancel},
      {"queued", BenchQueued},
      {"durable_batches", BenchDurableBatches},
      {"durable_one_job", BenchDurableOneJob},
      {"durable_queued", BenchDurableQueued},
      {"start", BenchStart},
      {"readers", BenchReaders},
      {"idle_readers", BenchIdleReaders},
      {"remote_jobs", BenchRemoteJobs},
      {"remote_one_job", BenchRemoteOneJob},
      {"lost_worker", BenchLostWorker},
      {"idle_workers", BenchIdleWorkers}};
  const std::set<std::string> wanted(argv + 1, argv + argc);
  for (const std::string& name : wanted) {
    const bool known = std::any_of(benches.begin(), benches.end(),
                                   [&](const auto& bench) { return bench.first == name; });
    if (known) continue;
    std::fprintf(stderr, "service_bench: there is no bench \"%s\"\n", name.c_str());
    return 2;
  }
  utsname machine{};
  uname(&machine);
  std::printf("%u cores, %s %s\n\n", std::thread::hardware_concurrency(), machine.machine,
              machine.release);
  for (const auto& [name, run] : benches) {
    if (!wanted.empty() && wanted.count(name) == 0) continue;
    run();
    std::fflush(stdout);
  }
}
