// Questions to the engine.

#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/engine_thread.h"
#include "rpc/dispatcher.h"

namespace jobrunner::rpc {

// Has look(engine) called on the engine's thread, where it must be quick, and then(what it
// returned) on the dispatcher's, once what was seen is durable. Neither, if the engine has stopped.
template <typename Look, typename Then>
void AskEngine(engine::EngineThread* engine, Dispatcher* dispatcher, Look look, Then then) {
  using Answer = decltype(look(std::declval<const engine::Engine&>()));
  engine->Tell(engine::Query{[=](const engine::Engine& state) -> std::function<void()> {
    auto answer = std::make_shared<Answer>(look(state));
    return [=] { dispatcher->Post([=] { then(std::move(*answer)); }); };
  }});
}

}  // namespace jobrunner::rpc
