// What ListBatches looks for and finds.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

struct BatchFilter {
  // Empty: all.
  std::string queue;
  std::vector<v1::BatchState> states;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct BatchPage {
  std::vector<v1::Batch> batches;
  // Where the next page begins; empty at the end.
  std::string next_before_id;
};

}  // namespace jobrunner::engine
