#include "client/store_arguments.h"

#include <CLI/CLI.hpp>

#include "client/backup_command.h"
#include "client/inspect_command.h"

namespace jobrunner::client {

void DefineInspect(CLI::App* app, InspectOptions* options) {
  app->description(
      "Lists the batches of a store, shows the log of one, or checks all of it. No server may have "
      "the store; nothing in it is changed.");
  app->add_option("DIRECTORY", options->directory, "Of the store")->required();
  CLI::Option* batch = app->add_option("BATCH", options->batch_id, "Whose log is shown");
  app->add_flag("--check", options->check,
                "Checks every checksum, and that the parts of each batch and the indexes fit "
                "together")
      ->excludes(batch);
}

void DefineBackup(CLI::App* app, BackupOptions* /*options*/) {
  app->description(
      "Makes a backup of the server's store, in the directory on its machine that its "
      "configuration names (backup.directory), and waits until it is stable. The server goes on "
      "serving.");
}

void DefineRestore(CLI::App* app, RestoreOptions* options) {
  app->description(
      "Makes a store from a backup and checks all of it; without DIRECTORY, lists the backups.");
  app->add_option("BACKUPS", options->backups, "Where the backups are")->required();
  app->add_option("DIRECTORY", options->directory, "Of the new store: empty, or not there");
  app->add_option("--backup", options->number, "Its number (the newest)")
      ->check(CLI::PositiveNumber.description(""));
}

}  // namespace jobrunner::client
