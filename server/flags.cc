#include "server/flags.h"

#include <CLI/CLI.hpp>

#include "base/version.h"

namespace jobrunner::server {
namespace {

// The options of `app`, bound to `flags`.
void Declare(CLI::App* app, Flags* flags) {
  app->add_option("--config", flags->config, "The configuration, a JSON file; re-read on SIGHUP")
      ->type_name("FILE");
  app->add_option("--listen", flags->listen,
                  "HOST:PORT, port 0 for a free one, or unix:PATH [127.0.0.1:7420]")
      ->type_name("ADDRESS");
  app->add_option("--store", flags->store,
                  "Where batches are kept: rocksdb:DIRECTORY, or memory: while it runs "
                  "[rocksdb: in $STATE_DIRECTORY, /var/lib/jobrunner for root, "
                  "$XDG_STATE_HOME/jobrunner or ~/.local/state/jobrunner]")
      ->type_name("URL");
  app->add_flag("--allow_any_command", flags->allow_any_command,
                "Run any command: gives every client a shell on this machine");
  app->add_option("--workers_min", flags->workers_min, "Slots kept when idle [0]");
  app->add_option("--workers_max", flags->workers_max,
                  "Jobs that run at once [twice the cores, at least 4]");
  app->add_option("--web_listen", flags->web_listen, "HOST:PORT of /healthz and /metrics [none]")
      ->type_name("ADDRESS");
  app->add_option("--backup_directory", flags->backup_directory,
                  "Where backups are put, an absolute path [no backups]")
      ->type_name("DIR");
  app->add_option("--log_level", flags->log_level, "debug, info, warning or error [info]");
  app->add_option("--log_file", flags->log_file, "A rotating log file beside standard error")
      ->type_name("FILE");
  app->add_option("--job_log", flags->job_log,
                  "A line for each failed attempt and each result; - for standard error")
      ->type_name("FILE");
  app->add_option("--exit_with_parent_fd", flags->exit_with_parent_fd,
                  "End when this inherited descriptor sees its end (for private servers)")
      ->type_name("FD");
  app->add_option("--remove_directory_on_exit", flags->remove_directory_on_exit,
                  "Remove this directory at the end (for private servers)")
      ->type_name("DIR");
}

}  // namespace

std::variant<Flags, ExitCode> ParseFlags(int argc, const char* const* argv) {
  CLI::App app{"jobrunnerd runs batches of jobs for clients that speak gRPC.", "jobrunnerd"};
  app.set_version_flag("--version", std::string("jobrunnerd ") + base::kVersion);
  Flags flags;
  Declare(&app, &flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return ExitCode{app.exit(success)};
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return ExitCode{2};
  }
  return flags;
}

}  // namespace jobrunner::server
