#include "rpc/batch_sight.h"

namespace jobrunner::rpc {

void FindStoredBatch(const ServiceParts& parts, Dispatcher* dispatcher, const std::string& batch_id,
                     std::function<void(FoundBatch)> then) {
  parts.server.store->FindBatch(batch_id, [=](FoundBatch found) {
    if (absl::IsNotFound(found.status())) found = engine::NoSuchBatch(batch_id);
    dispatcher->Post([then, found = std::move(found)] { then(found); });
  });
}

}  // namespace jobrunner::rpc
