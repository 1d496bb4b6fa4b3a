#pragma once

#include <string>
#include <vector>

#include "client/console.h"

namespace jobrunner::client {

// Shows batches as they come with JSON, or as a table of all of them at the end.
class BatchTable {
 public:
  explicit BatchTable(Console* console);

  void Add(const v1::Batch& batch);
  // Shows what was added; to be called once.
  void End();

 private:
  Console& console_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace jobrunner::client
