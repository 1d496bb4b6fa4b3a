// How long the tests last that try the same thing again and again.

#pragma once

namespace jobrunner::test {

// `count`, which is what the gate has time for, times JOBRUNNER_ROUNDS of the environment, as the
// long check sets it.
int Rounds(int count);

}  // namespace jobrunner::test
