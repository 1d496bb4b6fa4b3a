// A look at one batch, wherever it is.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "engine/refusal.h"
#include "engine/store.h"
#include "rpc/engine_query.h"
#include "rpc/service_parts.h"

namespace jobrunner::rpc {

// A batch as the engine or the store has it, for the time of a look.
struct BatchSight {
  const engine::Batch& batch;
  // Null where only the store has it: then it has finished.
  const engine::Engine* engine = nullptr;
};

// What the store has of a batch that the engine does not have (any more): a finished one, or
// NOT_FOUND with the reason that clients get. `then` runs on the dispatcher's thread.
using FoundBatch = absl::StatusOr<std::shared_ptr<const engine::Batch>>;
void FindStoredBatch(const ServiceParts& parts, Dispatcher* dispatcher, const std::string& batch_id,
                     std::function<void(FoundBatch)> then);

// Has look(BatchSight), which gives an absl::StatusOr, called where the batch is: on the engine's
// thread, where it must be quick, else on the dispatcher's with what the store has. Then
// then(what it gave, or NOT_FOUND) on the dispatcher's. Neither, if the engine has stopped.
template <typename Look, typename Then>
void LookAtBatch(const ServiceParts& parts, Dispatcher* dispatcher, const std::string& batch_id,
                 Look look, Then then) {
  using Answer = decltype(look(std::declval<const BatchSight&>()));
  // Nothing: the engine does not have it. Asked in this order, a batch that finishes meanwhile is
  // seen by one of the two, since the engine answers once what it has let go of is stored.
  AskEngine(
      parts.server.engine, dispatcher,
      [batch_id, look](const engine::Engine& engine) -> std::optional<Answer> {
        const engine::Batch* batch = engine.Find(batch_id);
        if (batch == nullptr) return std::nullopt;
        return look(BatchSight{*batch, &engine});
      },
      [&parts, dispatcher, batch_id, look, then](std::optional<Answer> answer) {
        if (answer) return then(*std::move(answer));
        FindStoredBatch(parts, dispatcher, batch_id, [look, then](const FoundBatch& found) {
          found.ok() ? then(look(BatchSight{**found})) : then(Answer(found.status()));
        });
      });
}

}  // namespace jobrunner::rpc
