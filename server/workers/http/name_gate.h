#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"

namespace jobrunner::workers {

// Lets only so many transfers at once go on to resolve a name, since libcurl has a thread for each
// that does: when thousands begin together, the first of a name resolve it and the others find it
// resolved. A name whose resolver hangs holds up no other name. Not thread-safe.
class NameGate {
 public:
  static constexpr size_t kOfOneNameMax = 4;
  static constexpr size_t kOfAllNamesMax = 256;

  // The transfer waits for its turn.
  void Add(const std::string& name, uint64_t id) { names_[name].waiting.push_back(id); }

  // Takes out those that `is_resolving` says no more of, and returns who may go on now.
  // `is_resolving` is not asked of those that wait.
  std::vector<uint64_t> Turn(const std::function<bool(uint64_t id)>& is_resolving);

  bool empty() const { return names_.empty(); }

 private:
  struct Name {
    std::deque<uint64_t> waiting;
    std::vector<uint64_t> resolving;
  };

  absl::btree_map<std::string, Name> names_;
};

}  // namespace jobrunner::workers
