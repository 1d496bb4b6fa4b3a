#include "client/run_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/command_template.h"
#include "client/console.h"
#include "client/duration_text.h"
#include "client/environment.h"
#include "client/exit_code.h"
#include "client/library/request_id.h"
#include "client/library/safe_text.h"
#include "client/program_path.h"
#include "client/run_session.h"
#include "client/run_target.h"
#include "client/signal_watcher.h"

namespace jobrunner::client {
namespace {

absl::StatusOr<JobBuilder::Surroundings> Surroundings(const RunOptions& options,
                                                      const RunTarget& target) {
  JobBuilder::Surroundings surroundings;
  auto directory = WorkingDirectory();
  if (!directory.ok()) return directory.status();
  surroundings.directory = std::move(*directory);
  surroundings.path = Environment("PATH", "/usr/local/bin:/usr/bin:/bin");
  surroundings.names = target.commands;
  surroundings.pool = options.pool;
  // A private server has all of it from its configuration.
  if (target.server != nullptr) return surroundings;
  auto environment = NamedEnvironment(options.environment);
  if (!environment.ok()) return environment.status();
  surroundings.environment = std::move(*environment);
  return surroundings;
}

// A command that is nowhere to be found fails once, and not for each argument.
absl::Status CheckProgram(const CommandTemplate& command,
                          const JobBuilder::Surroundings& surroundings) {
  const std::string program = command.FixedProgram();
  if (program.empty() || !surroundings.pool.empty() || surroundings.names.contains(program))
    return absl::OkStatus();
  const auto found = ResolveProgram(program, surroundings.path, surroundings.directory);
  if (found.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(found.status().message());
}

absl::StatusOr<JobBuilder> MakeBuilder(const RunOptions& options, const CommandTemplate& command,
                                       const RunTarget& target) {
  auto surroundings = Surroundings(options, target);
  if (!surroundings.ok()) return surroundings.status();
  if (absl::Status status = CheckProgram(command, *surroundings); !status.ok()) return status;
  return JobBuilder(command, std::move(*surroundings));
}

void SetRetries(const RunOptions& options, v1::JobOptions* job) {
  if (options.retries <= 1) return;
  v1::RetryPolicy& policy = *job->mutable_retry_policy();
  policy.set_max_attempts(options.retries);
  *policy.mutable_initial_backoff() = ToProto(options.retry_delay);
  *policy.mutable_max_backoff() = ToProto(std::max(options.retry_delay, absl::Minutes(5)));
}

absl::StatusOr<RunSession::Options> SessionOptions(const RunOptions& options,
                                                   const HaltPolicy& halt,
                                                   const Admission::Limits& admission) {
  RunSession::Options session;
  session.admission = admission;
  session.halt = halt;
  session.reading.set_follow(true);
  // Whoever kills this client means its jobs.
  session.reading.set_cancel_on_disconnect(true);
  v1::BatchSpec& batch = session.batch;
  // All batches of the run together are one party.
  batch.set_fairness_key(NewRequestId());
  if (absl::Status status = ApplyTo(&batch, options.batch); !status.ok()) return status;
  if (options.timeout) {
    *batch.mutable_job_defaults()->mutable_timeout() = ToProto(*options.timeout);
  }
  SetRetries(options, batch.mutable_job_defaults());
  if (halt.when() == HaltPolicy::When::kNow && halt.on_first_failure()) {
    batch.set_failure_policy(v1::FAILURE_POLICY_CANCEL_BATCH);
  }
  return session;
}

absl::Status CheckPool(const CommonOptions& common, const RunOptions& options,
                       const HaltPolicy& halt) {
  if (options.pool.empty()) return absl::OkStatus();
  if (common.server.empty()) {
    return absl::InvalidArgumentError("run --pool needs a server that its workers know: --server");
  }
  if (halt.when() == HaltPolicy::When::kSoon && options.jobs.value_or(0) == 0) {
    return absl::InvalidArgumentError(
        "run --pool with --halt soon needs --jobs: no more than run at once are to be handed out");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> OpenArguments(const RunOptions& options) {
  if (options.argument_file == "-") return STDIN_FILENO;
  const int fd = open(options.argument_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, SafeText(options.argument_file));
  return fd;
}

std::unique_ptr<ArgumentSource> MakeSource(const RunOptions& options, int fd,
                                           std::function<void()> on_change) {
  if (options.arguments) return std::make_unique<ArgumentSource>(*options.arguments);
  return std::make_unique<ArgumentSource>(fd, options.null_separated ? '\0' : '\n',
                                          std::move(on_change));
}

// Shows the commands for what is ready.
absl::Status ShowCommands(const std::vector<std::string>& arguments, const CommandTemplate& command,
                          int64_t* sequence, OutputStream* out) {
  for (const std::string& argument : arguments) {
    const auto argv = command.Fill(argument, ++*sequence);
    if (!argv.ok()) return argv.status();
    if (!argv->empty()) out->Append(absl::StrCat(CommandText(*argv), "\n"));
  }
  return out->Flush();
}

// Shows what would run, without a server.
absl::StatusOr<int> DryRun(const RunOptions& options, const CommandTemplate& command, int fd) {
  OutputStream out(STDOUT_FILENO);
  Inbox<int> changes(1);
  const auto source = MakeSource(options, fd, [&] { changes.PutNow(0); });
  for (int64_t sequence = 0;;) {
    const ArgumentSource::State state = source->Look();
    const absl::Status shown =
        ShowCommands(source->Take(state.ready, SIZE_MAX, 0), command, &sequence, &out);
    if (!shown.ok()) return shown;
    if (!state.error.ok()) return state.error;
    if (state.ended) return kSuccess;
    changes.Take(absl::InfiniteFuture());
  }
}

absl::StatusOr<std::unique_ptr<JobLog>> OpenLog(const RunOptions& options) {
  if (options.joblog.empty()) return nullptr;
  return JobLog::Create(options.joblog);
}

// When it was asked for, or where it does not mix with the output.
bool ShowsBar(const RunOptions& options, const Console& console) {
  return options.bar || (console.notes.is_terminal() && !console.out.is_terminal());
}

void RemarkOnTerminal(const RunOptions& options, Printer* printer) {
  if (options.arguments || options.argument_file != "-" || isatty(STDIN_FILENO) == 0) return;
  printer->Note("jobrunner: reading arguments from the terminal, one a line, until Ctrl-D");
}

// Runs the session, with those who have something to tell it.
absl::StatusOr<int> Conduct(RunSession* session, ArgumentSource* arguments, RunTarget* target,
                            SignalWatcher* signals) {
  signals->Tell([&](int signal) { session->Signalled(signal); });
  if (target->server != nullptr) {
    target->server->Watch([&](std::string said) { session->ServerEnded(std::move(said)); });
  }
  auto outcome = session->Run(arguments);
  if (target->server != nullptr) target->server->Watch(nullptr);
  signals->Tell(nullptr);
  return outcome;
}

}  // namespace

absl::StatusOr<int> RunCommand(const CommonOptions& common, const RunOptions& options) {
  const CommandTemplate command(options.command, options.shell);
  const auto halt = HaltPolicy::Parse(options.halt);
  if (!halt.ok()) return halt.status();
  if (absl::Status status = CheckPool(common, options, *halt); !status.ok()) return status;
  const auto fd = OpenArguments(options);
  if (!fd.ok()) return fd.status();
  if (options.dry_run) return DryRun(options, command, *fd);
  auto log = OpenLog(options);
  if (!log.ok()) return log.status();

  SignalWatcher signals;
  auto target = OpenTarget(common, options, *halt);
  if (!target.ok()) return target.status();
  auto builder = MakeBuilder(options, command, *target);
  if (!builder.ok()) return builder.status();
  auto plan = SessionOptions(options, *halt, target->admission);
  if (!plan.ok()) return plan.status();

  Console console(common.format);
  RemarkOnTerminal(options, &console.printer);
  RunOutput output({common.format, options.keep_order, options.tag, ShowsBar(options, console)},
                   std::move(*log), &console.out, &console.notes);
  RunSession session(std::move(*plan), &target->client->batches(), &*builder, &output);
  const auto arguments = MakeSource(options, *fd, [&] { session.ArgumentsCame(); });
  return Conduct(&session, arguments.get(), &*target, &signals);
}

}  // namespace jobrunner::client
