#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace jobrunner::client {

struct BatchOptions;
struct CommonOptions;

// What the definitions of commands share. What is pointed to outlives the parsing.

// Adds an option that takes a duration; a malformed one is refused by name.
CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         std::function<void(absl::Duration)> set, const std::string& description);

// Adds an option that can be told from one that was not given.
template <typename Value>
CLI::Option* AddOptional(CLI::App* app, const std::string& name, std::optional<Value>* value,
                         const std::string& description) {
  return app->add_option_function<Value>(
      name, [value](const Value& given) { *value = given; }, description);
}

// The options of every command.
void AddCommon(CLI::App* app, CommonOptions* options);

// The options of commands that submit a batch.
void AddBatch(CLI::App* app, BatchOptions* options);

}  // namespace jobrunner::client
