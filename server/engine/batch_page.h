// What ListBatches looks for and finds.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

class Batch;

struct BatchFilter {
  // Empty: all.
  std::string queue = {};
  std::vector<v1::BatchState> states = {};
  std::vector<std::pair<std::string, std::string>> labels = {};
};

bool Matches(const Batch& batch, const BatchFilter& filter);

// Newest first.
struct BatchPage {
  std::vector<v1::Batch> batches;
  // Where the next page begins; empty at the end.
  std::string next_before_id;
};

// One page of two that begin at the same place, each of another place where batches are: up to
// `page_size` batches, and none from beyond where either of the two stops. A batch that both have
// is taken as `later` has it, which was looked at after `earlier`.
BatchPage MergePages(BatchPage earlier, BatchPage later, int32_t page_size);

}  // namespace jobrunner::engine
