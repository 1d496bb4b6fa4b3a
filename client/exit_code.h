#pragma once

namespace jobrunner::client {

// What the program's exit status says; `run` uses 1 to 101
// for failed jobs, as GNU parallel does; results and submit --wait exit with 1 when a job did not
// succeed. 128 + a signal's number: ended by that signal.
enum ExitCode : int {
  kSuccess = 0,
  kJobsFailed = 1,
  // Of inspect and restore.
  kStoreDamaged = 1,
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

// The same for people, at the end of --help.
inline constexpr char kExitStatusText[] = R"(
Exit status: 0 all is well; of run: 1 to 100 so many jobs failed, 101 more did (with --halt …,fail=1
that of the failed job); of results and submit --wait: 1 a job did not succeed; of health: 1 not
serving; of inspect and restore: 1
the store is damaged. 200 wrong usage, 201 no server answers, 202 the server refused the call, 203 a local
failure, 204 the output of a job was cut, 128+N ended by signal N.)";

}  // namespace jobrunner::client
