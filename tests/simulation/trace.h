#pragma once

#include <cstdint>
#include <string_view>

#include "engine/effect.h"

namespace jobrunner::simulation {

// A hash over everything that an engine did, in its order: equal for equal runs. FNV-1a, 64 bits
// (http://www.isthe.com/chongo/tech/comp/fnv/), which is the same on every machine.
class Trace {
 public:
  void Add(base::Now now, const engine::Effects& effects);
  uint64_t hash() const { return hash_; }

 private:
  void AddNumber(int64_t number);
  void AddText(std::string_view text);
  void AddWrite(const engine::Write& write);
  void AddRecord(const engine::Changed& changed);

  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace jobrunner::simulation
