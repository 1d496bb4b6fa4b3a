#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "workers/handler.h"

namespace jobrunner::workers {

// The handlers of this process by name. It always has echo, sleep and fail.
//
// Filled by one thread; afterwards any thread may read it.
class HandlerRegistry {
 public:
  HandlerRegistry();

  // INVALID_ARGUMENT unless the name has 1 to 128 characters of [A-Za-z0-9._/-]; ALREADY_EXISTS for
  // one that is taken.
  absl::Status Register(std::string name, std::shared_ptr<Handler> handler);
  absl::Status Register(std::string name, HandlerFunction function);
  // A function as Handler::never_blocks() has it.
  absl::Status RegisterQuick(std::string name, HandlerFunction function);

  // Null when there is none.
  std::shared_ptr<Handler> Find(std::string_view name) const;

  // Sorted.
  std::vector<std::string> Names() const;
  // The same without echo, sleep and fail.
  std::vector<std::string> RegisteredNames() const;

 private:
  absl::flat_hash_map<std::string, std::shared_ptr<Handler>> handlers_;
  // Sorted.
  std::vector<std::string> built_in_;
};

}  // namespace jobrunner::workers
