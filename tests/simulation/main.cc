// engine_simulation: the engine in many worlds, one for each seed.
//
//   engine_simulation [--seeds=COUNT] [--seed=FIRST]
//
// Ends with 0 when every world held what was promised; prints the seed of the first that did not,
// and the line that runs it alone.

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "simulation/world.h"

constexpr int64_t kWorldsWithEveryRace = 100;

ABSL_FLAG(int64_t, seeds, 1, "how many worlds");
ABSL_FLAG(uint64_t, seed, 1, "the seed of the first; the others follow");

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const uint64_t first = absl::GetFlag(FLAGS_seed);
  const int64_t count = absl::GetFlag(FLAGS_seeds);
  int64_t jobs = 0;
  int64_t steps = 0;
  int64_t restarts = 0;
  jobrunner::simulation::CancelMoments cancels;
  jobrunner::simulation::RemoteMoments remote;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t seed = first + static_cast<uint64_t>(i);
    jobrunner::simulation::World world(seed);
    world.Run();
    jobs += world.jobs();
    steps += world.steps();
    restarts += world.restarts();
    cancels.Add(world.cancel_moments());
    remote.Add(world.remote_moments());
    if (!world.verdict().failed()) continue;
    std::printf("seed %llu: %s\nreplay: %s --seed=%llu\n", static_cast<unsigned long long>(seed),
                world.verdict().message().c_str(), argv[0], static_cast<unsigned long long>(seed));
    return 1;
  }
  std::printf("%lld worlds, %lld jobs, %lld steps, %lld restarts: all held\n",
              static_cast<long long>(count), static_cast<long long>(jobs),
              static_cast<long long>(steps), static_cast<long long>(restarts));
  std::printf("cancels met jobs: %s\n", cancels.ToText().c_str());
  std::printf("remote workers: %s\n", remote.ToText().c_str());
  // So many worlds have every race that there is.
  if (count >= kWorldsWithEveryRace && !(cancels.had_all() && remote.had_all())) {
    std::printf("one of these never came about\n");
    return 1;
  }
  return 0;
}
