#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/batch_options.h"
#include "client/common_options.h"

namespace jobrunner::client {

struct RunOptions {
  // The command line with its placeholders; empty: each argument is a command line.
  std::vector<std::string> command;
  // After ":::"; none: they come from the file.
  std::optional<std::vector<std::string>> arguments;
  // "-": standard input.
  std::string argument_file = "-";
  bool null_separated = false;
  bool shell = false;

  // Jobs at once; 0: as many as possible; unset: the processors, or what the named server does.
  std::optional<int> jobs;
  std::optional<absl::Duration> timeout;
  // Attempts in all.
  int retries = 1;
  absl::Duration retry_delay;
  std::string halt = "never";

  bool keep_order = false;
  bool tag = false;
  bool bar = false;
  bool dry_run = false;
  // A file; empty: none.
  std::string joblog;
  // Whose workers run the commands, on their machines; empty: the server does.
  std::string pool;
  // Names of variables that a named server's commands get; a private one gives them all.
  std::vector<std::string> environment;

  BatchOptions batch;
};

// Runs a command for each argument, as GNU parallel does. Returns the exit status.
absl::StatusOr<int> RunCommand(const CommonOptions& common, const RunOptions& options);

}  // namespace jobrunner::client
