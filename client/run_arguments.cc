#include "client/run_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/arguments.h"
#include "client/exit_code.h"
#include "client/library/safe_text.h"
#include "client/run_command.h"

namespace jobrunner::client {
namespace {

constexpr char kRunFooter[] = R"(
  jobrunner run [OPTIONS] [--] COMMAND [WORDS with {}] [::: ARGUMENT...]

Arguments come from behind ::: or, one a line, from standard input. In the words of the command
  {}   is the argument           {.}   the same without its extension
  {/}  its last path element     {//}  its directory
  {/.} the last element without extension
  {#}  the number of the job, from 1
Without any of them the argument is appended. Without a command each line is one, split into words
as xargs does. Nothing goes through a shell unless --shell says so. With no server named, a private
one is started, and ends with the run.

Ctrl-C cancels the jobs and waits for them to end; once more leaves at once.
)";

constexpr char kArgumentsFollow[] = ":::";

// Drops the mark before the command, and gives later ones their own form back.
absl::Status TakeMark(std::vector<std::string>* words) {
  if (words->empty()) return absl::OkStatus();
  const std::string& first = words->front();
  if (first == kCommandFollows) {
    words->erase(words->begin());
  } else if (absl::StartsWith(first, "-") && first != "-") {
    return absl::InvalidArgumentError(absl::StrCat("run has no option ", SafeText(first)));
  }
  std::replace(words->begin(), words->end(), std::string(kCommandFollows), std::string("--"));
  return absl::OkStatus();
}

}  // namespace

void DefineRun(CLI::App* app, RunOptions* options) {
  app->footer(absl::StrCat(kRunFooter, kExitStatusText));
  app->prefix_command();
  AddOptional(app, "-j,--jobs", &options->jobs,
              "Jobs at once, at most; 0: as many as possible (the processors; with a named server, "
              "what it runs)")
      ->check(CLI::Range(0, 100'000).description(""));
  AddDuration(
      app, "--timeout", [options](absl::Duration value) { options->timeout = value; },
      "Stops an attempt of a job that takes longer");
  app->add_option("--retries", options->retries, "Attempts at a job that fails, in all (1)")
      ->check(CLI::Range(1, 1'000).description(""));
  AddDuration(
      app, "--retry-delay", [options](absl::Duration value) { options->retry_delay = value; },
      "Wait before the second attempt, doubled before each further one (0)");
  app->add_option(
      "--halt", options->halt,
      "When to stop before the end: never, or soon|now,fail|success|done=N; soon starts "
      "no more jobs, now ends the running ones too");
  app->add_flag("-k,--keep-order", options->keep_order, "Output in the order of the arguments");
  app->add_flag("--tag", options->tag, "The argument and a tab before each line of output");
  app->add_option("--joblog", options->joblog, "Writes a line for each job, as GNU parallel does")
      ->type_name("FILE");
  app->add_flag("--bar,--progress", options->bar,
                "Shows a progress bar (always when only standard error is a terminal)");
  app->add_flag("--dry-run", options->dry_run, "Shows the commands and runs none");
  app->add_flag("-0,--null", options->null_separated, "Arguments end in NUL, not in a newline");
  app->add_option("-a,--arg-file", options->argument_file, "Arguments from a file")
      ->type_name("FILE");
  app->add_flag("--shell", options->shell, "Runs each command by /bin/sh -c");
  app->add_option("--pool", options->pool,
                  "Runs them on other machines, by a named server's workers of this pool; programs "
                  "are named as these know them")
      ->type_name("NAME");
  app->add_option(
         "--env", options->environment,
         "Passes a variable to a named server, can be repeated (a private one has them all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  AddBatch(app, &options->batch);
}

absl::Status TakeCommandWords(std::vector<std::string> words, RunOptions* options) {
  if (absl::Status status = TakeMark(&words); !status.ok()) return status;
  const auto mark = std::find(words.begin(), words.end(), kArgumentsFollow);
  options->command.assign(words.begin(), mark);
  if (mark == words.end()) return absl::OkStatus();
  if (std::find(mark + 1, words.end(), kArgumentsFollow) != words.end()) {
    return absl::InvalidArgumentError("run takes one list of arguments, there are two :::");
  }
  options->arguments.emplace(mark + 1, words.end());
  return absl::OkStatus();
}

}  // namespace jobrunner::client
