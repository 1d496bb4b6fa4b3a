#include "client/server_arguments.h"

#include <CLI/CLI.hpp>

#include "client/arguments.h"
#include "client/health_command.h"

namespace jobrunner::client {
namespace {

// The subcommands of admin; each sets what is asked when it is there.
template <typename Options>
CLI::App* AddAdmin(CLI::App* admin, const char* name, const char* description, AdminOptions* chosen,
                   CommonOptions* common, Options* options) {
  CLI::App* app = admin->add_subcommand(name, description);
  AddCommon(app, common);
  app->final_callback([=] { *chosen = *options; });
  return app;
}

}  // namespace

void DefineHealth(CLI::App* app, HealthOptions* options) {
  app->description("Asks whether the server serves: exit status 0 if it does, else 1.");
  AddDuration(
      app, "--timeout", [options](absl::Duration value) { options->timeout = value; },
      "For its answer (2)");
}

void DefineAdmin(CLI::App* app, CommonOptions* common, AdminArguments* arguments) {
  app->description("Looks at the server or steers it.");
  app->require_subcommand(1);
  const auto define = [&](const char* name, const char* description, auto* options) {
    return AddAdmin(app, name, description, &arguments->chosen, common, options);
  };
  define("info", "What the server is and allows", &arguments->info);
  define("stats", "What it does and did", &arguments->statistics);
  define("pause", "Starts no more jobs of a queue", &arguments->pause)
      ->add_option("queue", arguments->pause.queue, "")
      ->required();
  define("resume", "Undoes pause", &arguments->resume)
      ->add_option("queue", arguments->resume.queue, "")
      ->required();
  CLI::App* resize = define("resize", "Sets the bounds of the worker pool", &arguments->resize);
  AddOptional(resize, "--min", &arguments->resize.workers_min, "Workers kept when idle");
  AddOptional(resize, "--max", &arguments->resize.workers_max, "Workers at most");
  AddDuration(
      define("drain", "Ends the server, as SIGTERM does", &arguments->drain), "--grace",
      [arguments](absl::Duration value) { arguments->drain.grace = value; },
      "For what runs (as configured)");
}

}  // namespace jobrunner::client
