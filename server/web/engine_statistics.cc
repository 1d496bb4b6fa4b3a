#include "web/engine_statistics.h"

#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "engine/engine_thread.h"

namespace jobrunner::web {

// The promise is shared with the query, which may be answered after nobody waits any more, or be
// dropped, unanswered, when the engine ends.
absl::StatusOr<engine::Statistics> AskForStatistics(engine::EngineThread* engine,
                                                    std::chrono::milliseconds timeout) {
  auto promise = std::make_shared<std::promise<engine::Statistics>>();
  std::future<engine::Statistics> answer = promise->get_future();
  engine->Tell(engine::Query{[promise = std::move(promise)](const engine::Engine& engine) {
    return std::function<void()>(
        [promise, counted = engine.CountAll()] { promise->set_value(counted); });
  }});
  if (answer.wait_for(timeout) != std::future_status::ready) {
    return absl::DeadlineExceededError("the engine did not answer in time");
  }
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return absl::UnavailableError("the engine has ended");
  }
}

}  // namespace jobrunner::web
