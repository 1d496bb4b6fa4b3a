// The keys of a batch, seen so far.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_set.h"

namespace jobrunner::engine {

// Tells a key that comes for the second time, in 20 to 40 bytes a key however long it is, so that a
// batch of any size can be checked while it comes in: what is kept of a key is XXH3 with 128 bits.
// That two keys of one batch are taken for the same is less likely than a fault of the machine; who
// can make it happen has his own batch refused. Not thread-safe.
class KeySet {
 public:
  // False if the key was there.
  bool Add(std::string_view key);

 private:
  struct Hash128 {
    uint64_t low = 0;
    uint64_t high = 0;
    bool operator==(const Hash128&) const = default;
  };
  struct Low {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  absl::flat_hash_set<Hash128, Low> keys_;
};

}  // namespace jobrunner::engine
