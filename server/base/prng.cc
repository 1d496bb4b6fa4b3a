#include "base/prng.h"

#include <bit>
#include <random>

#include "base/check.h"

namespace jobrunner::base {
namespace {

uint64_t Splitmix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Prng::Prng(uint64_t seed) {
  for (uint64_t& word : state_) word = Splitmix64(seed);
}

uint64_t Prng::Next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Prng::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

uint64_t Prng::Below(uint64_t n) {
  JOBRUNNER_CHECK(n > 0);
  // Numbers under 2^64 mod n are thrown away, so that every remainder is equally likely.
  const uint64_t rejected_below = -n % n;
  uint64_t number = Next();
  while (number < rejected_below) number = Next();
  return number % n;
}

uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace jobrunner::base
