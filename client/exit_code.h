#pragma once

namespace jobrunner::client {

// What the program's exit status says; `jobrunner --help` shows the same list. `run` uses 1 to 101
// for failed jobs, as GNU parallel does; results and submit --wait exit with 1 when a job did not
// succeed. 128 + a signal's number: ended by that signal.
enum ExitCode : int {
  kSuccess = 0,
  kJobsFailed = 1,
  // run counts up to here.
  kFailedJobsCountedMax = 100,
  kMoreJobsFailed = 101,
  // The command line or an input file is wrong.
  kUsage = 200,
  // No server could be reached, or it was lost for too long.
  kUnreachable = 201,
  // The server refused the call.
  kRefused = 202,
  // A local failure: a file, the private server.
  kLocalFailure = 203,
  // All jobs succeeded, but some wrote more than the server keeps.
  kOutputCut = 204,
};

}  // namespace jobrunner::client
