#pragma once

#include <variant>

#include "client/admin_command.h"
#include "client/backup_command.h"
#include "client/cancel_command.h"
#include "client/common_options.h"
#include "client/delete_command.h"
#include "client/errors_command.h"
#include "client/health_command.h"
#include "client/inspect_command.h"
#include "client/list_command.h"
#include "client/results_command.h"
#include "client/retry_command.h"
#include "client/run_command.h"
#include "client/status_command.h"
#include "client/submit_command.h"
#include "client/worker_command.h"

namespace jobrunner::client {

// What a command line asks for.
struct Invocation {
  CommonOptions common;
  std::variant<RunOptions, SubmitOptions, ResultsOptions, ErrorsOptions, CancelOptions,
               DeleteOptions, RetryOptions, StatusOptions, ListOptions, HealthOptions, AdminOptions,
               InspectOptions, BackupOptions, RestoreOptions, WorkerOptions>
      command;
};

// Reads the arguments of main. When there is nothing to do any more, since they asked for help or
// are wrong, that has been said, and the exit status is returned.
std::variant<Invocation, int> ParseCommandLine(int argc, const char* const* argv);

}  // namespace jobrunner::client
