#include "workers/http/name_gate.h"

namespace jobrunner::workers {

std::vector<uint64_t> NameGate::Turn(const std::function<bool(uint64_t id)>& is_resolving) {
  size_t resolving = 0;
  for (auto& [text, name] : names_) {
    std::erase_if(name.resolving, [&](uint64_t id) { return !is_resolving(id); });
    resolving += name.resolving.size();
  }
  std::vector<uint64_t> ready;
  for (auto at = names_.begin(); at != names_.end();) {
    Name& name = at->second;
    while (!name.waiting.empty() && name.resolving.size() < kOfOneNameMax &&
           resolving < kOfAllNamesMax) {
      ready.push_back(name.waiting.front());
      name.resolving.push_back(name.waiting.front());
      name.waiting.pop_front();
      ++resolving;
    }
    const bool is_done = name.waiting.empty() && name.resolving.empty();
    at = is_done ? names_.erase(at) : std::next(at);
  }
  return ready;
}

}  // namespace jobrunner::workers
