#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/version.h"
#include "client/duration_text.h"
#include "client/environment.h"
#include "client/exit_code.h"
#include "client/run_arguments.h"

namespace jobrunner::client {
namespace {

constexpr char kFooter[] = R"(
Exit status: 0 all is well; of run: 1 to 100 so many jobs failed, 101 more did (with --halt …,fail=1
that of the failed job); of results and submit --wait: 1 a job did not succeed; of health: 1 not
serving. 200 wrong usage, 201 no server answers, 202 the server refused the call, 203 a local
failure, 204 the output of a job was cut, 128+N ended by signal N.)";

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

// Adds an option for a duration.
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

template <typename Number>
CLI::Option* AddOptional(CLI::App* app, const std::string& name, std::optional<Number>* value,
                         const std::string& description) {
  return app->add_option_function<Number>(
      name, [value](const Number& number) { *value = number; }, description);
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

void DefineRun(CLI::App* app, RunOptions* options) {
  app->footer(absl::StrCat(kRunFooter, kFooter));
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
  app->add_option(
         "--env", options->environment,
         "Passes a variable to a named server, can be repeated (a private one has them all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  AddBatch(app, &options->batch);
}

void DefineSubmit(CLI::App* app, SubmitOptions* options) {
  app->description(
      "Submits a batch and prints its id. FILE, or - for standard input, has a SubmitBatchRequest "
      "as JSON, or a Job as JSON on each line. Options go before what the file says.");
  app->add_option("file", options->file, "")->type_name("FILE")->required();
  app->add_flag("--wait", options->wait, "Shows the results until the batch has finished");
  AddBatch(app, &options->batch);
  AddDuration(
      app, "--timeout", [options](absl::Duration value) { options->batch.timeout = value; },
      "Ends the batch when it takes longer");
  AddDuration(
      app, "--job-timeout", [options](absl::Duration value) { options->job_timeout = value; },
      "Of an attempt of a job, unless the job has its own");
  AddOptional(app, "--max-parallelism", &options->batch.max_parallelism,
              "Jobs of the batch at once, at most");
  app->add_option("--failure-policy", options->batch.failure_policy, "")
      ->type_name("continue|cancel_batch");
  AddDuration(
      app, "--retention", [options](absl::Duration value) { options->batch.retention = value; },
      "How long the finished batch is kept");
  app->add_option("--request-id", options->request_id,
                  "Makes the call idempotent: the same id again is the same batch");
}

void AddBatchId(CLI::App* app, std::string* batch_id) {
  app->add_option("batch", *batch_id, "")->type_name("BATCH_ID")->required();
}

void DefineResults(CLI::App* app, ResultsOptions* options) {
  app->description(
      "Shows the event log of a batch, live until it has finished: what the jobs wrote on standard "
      "output and error, what became of them on standard error.");
  AddBatchId(app, &options->batch_id);
  app->add_option("--after", options->after_sequence, "Only events after this sequence number")
      ->check(CLI::NonNegativeNumber.description(""));
  app->add_flag("!--no-follow", options->follow, "Stops at the end of what there is so far");
  app->add_option("--kinds", options->kinds, "Only these: output, progress, attempt_error, result")
      ->delimiter(',')
      ->type_name("KIND,...")
      ->allow_extra_args(false);
}

void DefineErrors(CLI::App* app, ErrorsOptions* options) {
  app->description("Shows failed attempts and failed jobs of all batches, from now on.");
  app->add_option("--queue", options->queue, "Only of this queue");
  app->add_option("--label", options->labels, "Only of batches with this label, can be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void DefineCancel(CLI::App* app, CancelOptions* options) {
  app->description("Cancels a batch, or some of its jobs.");
  AddBatchId(app, &options->batch_id);
  app->add_option("--job", options->jobs, "Only the job with this index, can be repeated")
      ->type_name("INDEX")
      ->allow_extra_args(false);
  app->add_option("--reason", options->reason, "Why, for those who look");
  AddDuration(
      app, "--grace", [options](absl::Duration value) { options->grace = value; },
      "Between asking running jobs to end and forcing them (5)");
}

void DefineStatus(CLI::App* app, StatusOptions* options) {
  app->description("Shows how a batch or its jobs stand, and what waiting jobs wait for.");
  AddBatchId(app, &options->batch_id);
  auto* job = AddOptional(app, "--job", &options->job, "The job with this index");
  AddOptional(app, "--key", &options->key, "The job with this key")->excludes(job);
  app->add_flag("--jobs", options->jobs, "All jobs");
  app->add_option("--state", options->states,
                  "Jobs in this state: queued, running, retrying, succeeded, failed, cancelled")
      ->delimiter(',')
      ->type_name("STATE,...")
      ->allow_extra_args(false);
}

void DefineList(CLI::App* app, ListOptions* options) {
  app->description("Shows the batches of the server, newest first.");
  app->add_option("--state", options->states, "Only: running, succeeded, failed, cancelled")
      ->delimiter(',')
      ->type_name("STATE,...")
      ->allow_extra_args(false);
  app->add_option("--queue", options->queue, "Only of this queue");
  app->add_option("--label", options->labels, "Only with this label, can be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app->add_option("--limit", options->limit, "So many at most (all)")
      ->check(CLI::PositiveNumber.description(""));
}

void DefineHealth(CLI::App* app, HealthOptions* options) {
  app->description("Asks whether the server serves: exit status 0 if it does, else 1.");
  AddDuration(
      app, "--timeout", [options](absl::Duration value) { options->timeout = value; },
      "For its answer (2)");
}

// The subcommands of admin; each sets what is asked when it is there.
template <typename Options>
CLI::App* DefineAdmin(CLI::App* admin, const char* name, const char* description,
                      AdminOptions* chosen, CommonOptions* common, Options* options) {
  CLI::App* app = admin->add_subcommand(name, description);
  AddCommon(app, common);
  app->final_callback([=] { *chosen = *options; });
  return app;
}

// All that can be asked for, to be filled in by the parser.
struct AllOptions {
  CommonOptions common;
  RunOptions run;
  SubmitOptions submit;
  ResultsOptions results;
  ErrorsOptions errors;
  CancelOptions cancel;
  StatusOptions status;
  ListOptions list;
  HealthOptions health;
  AdminOptions admin;
  ShowInfo info;
  ShowStatistics statistics;
  PauseQueue pause;
  ResumeQueue resume;
  ResizePool resize;
  DrainServer drain;
};

void DefineAdminCommands(CLI::App* app, AllOptions* all) {
  app->description("Looks at the server or steers it.");
  app->require_subcommand(1);
  const auto define = [&](const char* name, const char* description, auto* options) {
    return DefineAdmin(app, name, description, &all->admin, &all->common, options);
  };
  define("info", "What the server is and allows", &all->info);
  define("stats", "What it does and did", &all->statistics);
  define("pause", "Starts no more jobs of a queue", &all->pause)
      ->add_option("queue", all->pause.queue, "")
      ->required();
  define("resume", "Undoes pause", &all->resume)
      ->add_option("queue", all->resume.queue, "")
      ->required();
  CLI::App* resize = define("resize", "Sets the bounds of the worker pool", &all->resize);
  AddOptional(resize, "--min", &all->resize.workers_min, "Workers kept when idle");
  AddOptional(resize, "--max", &all->resize.workers_max, "Workers at most");
  AddDuration(
      define("drain", "Ends the server, as SIGTERM does", &all->drain), "--grace",
      [all](absl::Duration value) { all->drain.grace = value; }, "For what runs (as configured)");
}

// CLI11 knows no "--" before a command line that is passed on: it is renamed while CLI11 reads.
std::vector<std::string> Words(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (std::string& word : words) {
    if (word == "--") word = kCommandFollows;
  }
  return words;
}

// `command` is the subcommand's name, or empty.
int Refuse(const std::string& command, const std::string& why) {
  std::cerr << "jobrunner: " << why << "\nTry: jobrunner" << (command.empty() ? "" : " ") << command
            << " --help\n";
  return kUsage;
}

class Parser {
 public:
  Parser() {
    app_.require_subcommand(1);
    app_.footer(kFooter);
    app_.set_version_flag("--version", std::string("jobrunner ") + base::kVersion);
    AddCommon(&app_, &all_.common);
    Define("run", "Runs a command for each argument", &all_.run, DefineRun);
    Define("submit", "Submits a batch", &all_.submit, DefineSubmit);
    Define("results", "Shows the results of a batch", &all_.results, DefineResults);
    Define("errors", "Shows the errors of all batches", &all_.errors, DefineErrors);
    Define("cancel", "Cancels a batch or jobs", &all_.cancel, DefineCancel);
    Define("status", "Shows how a batch or its jobs stand", &all_.status, DefineStatus);
    Define("list", "Shows the batches", &all_.list, DefineList);
    Define("health", "Asks whether the server serves", &all_.health, DefineHealth);
    CLI::App* admin = Add("admin", "Looks at the server or steers it");
    DefineAdminCommands(admin, &all_);
    admin->final_callback([this] { command_ = all_.admin; });
  }

  std::variant<Invocation, int> Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app_.parse(std::move(words));
    } catch (const CLI::Success& help) {
      return app_.exit(help);
    } catch (const CLI::ParseError& error) {
      return Refuse(Chosen(), error.what());
    }
    return Complete();
  }

 private:
  CLI::App* Add(const std::string& name, const std::string& description) {
    CLI::App* app = app_.add_subcommand(name, description);
    AddCommon(app, &all_.common);
    return app;
  }

  template <typename Options>
  void Define(const std::string& name, const std::string& description, Options* options,
              void (*define)(CLI::App*, Options*)) {
    CLI::App* app = Add(name, description);
    define(app, options);
    app->final_callback([this, options] { command_ = *options; });
  }

  std::string Chosen() const {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? "" : chosen.front()->get_name();
  }

  std::variant<Invocation, int> Complete() {
    Invocation invocation{all_.common, command_};
    if (invocation.common.server.empty()) {
      invocation.common.server = Environment("JOBRUNNER_SERVER", "");
    }
    if (auto* run = std::get_if<RunOptions>(&invocation.command)) {
      const absl::Status status = TakeCommandWords(app_.get_subcommand("run")->remaining(), run);
      if (!status.ok()) return Refuse("run", std::string(status.message()));
    }
    return invocation;
  }

  CLI::App app_{
      "Runs jobs on a jobrunner server, or commands here, and shows what becomes of them.",
      "jobrunner"};
  AllOptions all_;
  decltype(Invocation::command) command_;
};

}  // namespace

std::variant<Invocation, int> ParseCommandLine(int argc, const char* const* argv) {
  return Parser().Parse(Words(argc, argv));
}

}  // namespace jobrunner::client
