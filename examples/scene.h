// One batch of people, run and shown.

#pragma once

#include <vector>

#include "embedded/local_runner.h"
#include "people.h"

namespace jobrunner::examples {

struct Scene {
  People people = SixPeople();
  std::optional<OldestRule> oldest = {};
  std::vector<engine::EventListener*> listeners = {};
};

// Runs the batch on a LocalRunner of the people's number of workers and prints its events. Returns
// the exit status.
int Play(const Scene& scene, const v1::BatchSpec& batch);

}  // namespace jobrunner::examples
