#include "engine/key_set.h"

// The functions themselves, so that nothing is linked and nothing is needed at run time.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jobrunner::engine {

bool KeySet::Add(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return keys_.insert({hash.low64, hash.high64}).second;
}

}  // namespace jobrunner::engine
