#include "storage/summary_index.h"

#include "storage/keys.h"

namespace jobrunner::storage {

std::vector<std::string> SummaryIndexKeys(const Summary& summary) {
  const jobrunner::v1::Batch& batch = summary.batch;
  std::vector<std::string> indexed = {keys::BatchExpiry(summary.expire_time, batch.id()),
                                      keys::ByState(batch.state()) + batch.id(),
                                      keys::ByQueue(batch.queue()) + batch.id()};
  for (const auto& [label, value] : batch.labels()) {
    indexed.push_back(keys::ByLabel(label, value) + batch.id());
  }
  return indexed;
}

}  // namespace jobrunner::storage
