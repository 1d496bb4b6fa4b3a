#pragma once

#include <array>
#include <cstdint>

namespace jobrunner::base {

// A small generator of random numbers: the same seed gives the same numbers, on every machine. Not
// for secrets. To be used by one thread at a time.
//
// xoshiro256++ 1.0 by D. Blackman and S. Vigna, its state filled by splitmix64
// (https://prng.di.unimi.it/xoshiro256plusplus.c, https://prng.di.unimi.it/splitmix64.c).
class Prng {
 public:
  explicit Prng(uint64_t seed);

  // Any of the 2^64 numbers, evenly.
  uint64_t Next();

  // A number in [0, 1), a multiple of 2^-53.
  double Uniform();

  // A number in [0, n), evenly. n is at least 1.
  uint64_t Below(uint64_t n);

 private:
  std::array<uint64_t, 4> state_;
};

// A seed that differs from start to start, from the operating system.
uint64_t RandomSeed();

}  // namespace jobrunner::base
