// Six people, each a job of 100 to 500 ms: what the examples run.

#pragma once

#include <optional>

#include "jobrunner/v1/batch.pb.h"
#include "people.pb.h"
#include "workers/handler.h"

namespace jobrunner::examples {

// Alice, Bob, Charlie, Dave, Eve and Frank, whose jobs take 1.85 s together.
People SixPeople();

// A job for each of them: a call of the handler "person" with the Person as its payload.
v1::BatchSpec BatchOf(const People& people);

// What happens to the job of a person who is older than `age`.
struct OldestRule {
  int32_t age;
  // The whole batch is stopped.
  bool critical = false;
};

// The handler "person": works as long as the person's job takes, unless it is asked to stop.
workers::HandlerFunction PersonHandler(std::optional<OldestRule> oldest);

}  // namespace jobrunner::examples
