#include "client/worker_arguments.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/worker_command.h"

namespace jobrunner::client {
namespace {

// An option NAME=VALUE that can be repeated.
void AddPairs(CLI::App* app, const char* option, const char* type,
              std::function<void(std::string name, std::string value)> set,
              const char* description) {
  app->add_option_function<std::vector<std::string>>(
         option,
         [=](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) {
             const size_t equals = pair.find('=');
             if (equals == 0 || equals == std::string::npos) {
               throw CLI::ValidationError(option, absl::StrCat("takes ", type, ", not ", pair));
             }
             set(pair.substr(0, equals), pair.substr(equals + 1));
           }
         },
         description)
      ->type_name(type)
      ->allow_extra_args(false);
}

}  // namespace

void DefineWorker(CLI::App* app, WorkerOptions* options) {
  app->description(
      "Runs commands on this machine for a server elsewhere: those of batches whose command.pool "
      "names one of its pools. What they may be is said here, and nothing is allowed "
      "unless it is. Ends on SIGTERM or Ctrl-C when what it has taken is done; a second signal "
      "ends "
      "it at once, and its commands.");
  app->add_option("--pool", options->pools, "Whose commands it runs, can be repeated")
      ->required()
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--name", options->name, "What the server calls it (this machine's name)");
  app->add_option("--slots", options->slots, "Commands at once (twice the processors, at least 4)")
      ->check(CLI::Range(1, 10'000).description(""));
  AddPairs(
      app, "--allow", "NAME=PATH",
      [options](std::string name, std::string path) {
        config::v1::AllowedCommand& command = *options->commands.add_allow();
        command.set_name(std::move(name));
        command.set_path(std::move(path));
      },
      "Lets commands be this program, by this name; can be repeated");
  app->add_flag_callback(
      "--allow-any-command", [options] { options->commands.set_allow_any(true); },
      "Lets commands be anything: gives every client of the server a shell here");
  AddPairs(
      app, "--env", "NAME=VALUE",
      [options](std::string name, std::string value) {
        (*options->commands.mutable_env())[std::move(name)] = std::move(value);
      },
      "Gives every command a variable, can be repeated");
  app->add_option_function<std::string>(
         "--working-directory",
         [options](const std::string& path) { options->commands.set_working_directory(path); },
         "Where commands run that name none (where this is)")
      ->type_name("PATH");
  app->add_option_function<int64_t>(
         "--output-bytes-max",
         [options](int64_t bytes) { options->commands.set_output_bytes_max(bytes); },
         "Kept of each of a command's two outputs (262144)")
      ->type_name("N");
  AddPairs(
      app, "--label", "NAME=VALUE",
      [options](std::string name, std::string value) {
        options->labels[std::move(name)] = std::move(value);
      },
      "For people and for monitoring, can be repeated");
}

}  // namespace jobrunner::client
