// The last steps before the engine is told of a batch.

#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/input.h"
#include "engine/submission.h"
#include "rpc/service_parts.h"

namespace jobrunner::engine {
class Store;
}

namespace jobrunner::rpc {

using BatchTaken = std::function<void(absl::StatusOr<v1::Batch>)>;

// RESOURCE_EXHAUSTED with STORE_FULL while the store takes nothing new. Any thread; does not block.
absl::Status CheckRoom(const engine::Store& store);

// Asks a durable store whether the submission's request_id was used, and, unless it was, whether
// there is room; then has the engine told: tell(submit), on the calling thread or the store's.
// `taken` gets, on the replies' thread, the accepted batch, the one that the request made before,
// or an error: the engine's, the store's, RESOURCE_EXHAUSTED with STORE_FULL. Any thread; does not
// block.
void Admit(const ServiceParts& parts, engine::Submission submission, const BatchTaken& taken,
           const std::function<void(engine::Submit)>& tell);

// As above: the engine is told and nothing else.
void Admit(const ServiceParts& parts, engine::Submission submission, const BatchTaken& taken);

}  // namespace jobrunner::rpc
