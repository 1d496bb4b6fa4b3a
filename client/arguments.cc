#include "client/arguments.h"

#include <CLI/CLI.hpp>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/batch_options.h"
#include "client/common_options.h"
#include "client/duration_text.h"

namespace jobrunner::client {

CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         std::function<void(absl::Duration)> set, const std::string& description) {
  return app
      ->add_option_function<std::string>(
          name,
          [name, set = std::move(set)](const std::string& text) {
            const auto duration = ParseDuration(text);
            if (!duration.ok()) {
              throw CLI::ValidationError(name, std::string(duration.status().message()));
            }
            set(*duration);
          },
          description)
      ->type_name("DURATION");
}

void AddCommon(CLI::App* app, CommonOptions* options) {
  app->add_option(
         "--server", options->server,
         absl::StrCat("Address of the server: HOST:PORT or unix:PATH. $JOBRUNNER_SERVER, or ",
                      kDefaultServer, " unless given"))
      ->type_name("ADDRESS");
  const std::map<std::string, OutputFormat> formats = {{"text", OutputFormat::kText},
                                                       {"json", OutputFormat::kJson}};
  app->add_option("--output", options->format, "text, for people, or json: a JSON value a line")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("text|json");
  AddDuration(
      app, "--reconnect", [options](absl::Duration value) { options->reconnect = value; },
      "How long a server that went away is waited for (60)");
}

void AddBatch(CLI::App* app, BatchOptions* options) {
  app->add_option("--name", options->name, "Name of the batch, for people");
  app->add_option("--queue", options->queue, "Queue of the batch");
  app->add_option("--label", options->labels, "A label of the batch, can be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  AddOptional(app, "--priority", &options->priority, "-100 to 100; higher gets a larger share");
}

}  // namespace jobrunner::client
