#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/version.h"
#include "client/arguments.h"
#include "client/batch_arguments.h"
#include "client/environment.h"
#include "client/exit_code.h"
#include "client/run_arguments.h"
#include "client/server_arguments.h"
#include "client/store_arguments.h"
#include "client/worker_arguments.h"

namespace jobrunner::client {
namespace {

// All that can be asked for, to be filled in by the parser.
struct AllOptions {
  CommonOptions common;
  RunOptions run;
  SubmitOptions submit;
  ResultsOptions results;
  ErrorsOptions errors;
  CancelOptions cancel;
  DeleteOptions remove;
  RetryOptions retry;
  StatusOptions status;
  ListOptions list;
  HealthOptions health;
  AdminArguments admin;
  InspectOptions inspect;
  BackupOptions backup;
  RestoreOptions restore;
  WorkerOptions worker;
};

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
    app_.footer(kExitStatusText);
    app_.set_version_flag("--version", std::string("jobrunner ") + base::kVersion);
    AddCommon(&app_, &all_.common);
    Define("run", "Runs a command for each argument", &all_.run, DefineRun);
    Define("submit", "Submits a batch", &all_.submit, DefineSubmit);
    Define("results", "Shows the results of a batch", &all_.results, DefineResults);
    Define("errors", "Shows the errors of all batches", &all_.errors, DefineErrors);
    Define("cancel", "Cancels a batch or jobs", &all_.cancel, DefineCancel);
    Define("delete", "Removes finished batches", &all_.remove, DefineDelete);
    Define("retry", "Runs failed jobs of a batch again", &all_.retry, DefineRetry);
    Define("status", "Shows how a batch or its jobs stand", &all_.status, DefineStatus);
    Define("list", "Shows the batches", &all_.list, DefineList);
    Define("health", "Asks whether the server serves", &all_.health, DefineHealth);
    Define("inspect", "Looks into a store that no server has", &all_.inspect, DefineInspect);
    Define("backup", "Makes a backup of the server's store", &all_.backup, DefineBackup);
    Define("restore", "Makes a store from a backup", &all_.restore, DefineRestore);
    Define("worker", "Runs commands here for a server elsewhere", &all_.worker, DefineWorker);
    CLI::App* admin = Add("admin", "Looks at the server or steers it");
    DefineAdmin(admin, &all_.common, &all_.admin);
    admin->final_callback([this] { command_ = all_.admin.chosen; });
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
