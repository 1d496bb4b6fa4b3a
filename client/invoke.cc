#include "client/invoke.h"

#include <signal.h>

#include <iostream>

#include "client/exit_code.h"
#include "client/library/call_error.h"

namespace jobrunner::client {
namespace {

constexpr int kSignalled = 128;

int ExitCodeOf(const absl::Status& status) {
  // Nobody reads the output any more.
  if (absl::IsAborted(status)) return kSignalled + SIGPIPE;
  if (!IsCallError(status)) return absl::IsInvalidArgument(status) ? kUsage : kLocalFailure;
  const bool unreachable = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  return unreachable ? kUnreachable : kRefused;
}

struct Dispatcher {
  const CommonOptions& common;

  absl::StatusOr<int> operator()(const RunOptions& run) { return RunCommand(common, run); }
  absl::StatusOr<int> operator()(const SubmitOptions& submit) {
    return SubmitCommand(common, submit);
  }
  absl::StatusOr<int> operator()(const ResultsOptions& results) {
    return ResultsCommand(common, results);
  }
  absl::StatusOr<int> operator()(const ErrorsOptions& errors) {
    return ErrorsCommand(common, errors);
  }
  absl::StatusOr<int> operator()(const CancelOptions& cancel) {
    return CancelCommand(common, cancel);
  }
  absl::StatusOr<int> operator()(const DeleteOptions& remove) {
    return DeleteCommand(common, remove);
  }
  absl::StatusOr<int> operator()(const RetryOptions& retry) { return RetryCommand(common, retry); }
  absl::StatusOr<int> operator()(const StatusOptions& status) {
    return StatusCommand(common, status);
  }
  absl::StatusOr<int> operator()(const ListOptions& list) { return ListCommand(common, list); }
  absl::StatusOr<int> operator()(const HealthOptions& health) {
    return HealthCommand(common, health);
  }
  absl::StatusOr<int> operator()(const AdminOptions& admin) { return AdminCommand(common, admin); }
  absl::StatusOr<int> operator()(const InspectOptions& inspect) {
    return InspectCommand(common, inspect);
  }
  absl::StatusOr<int> operator()(const BackupOptions& backup) {
    return BackupCommand(common, backup);
  }
  absl::StatusOr<int> operator()(const RestoreOptions& restore) {
    return RestoreCommand(common, restore);
  }
  absl::StatusOr<int> operator()(const WorkerOptions& worker) {
    return WorkerCommand(common, worker);
  }
};

}  // namespace

int Invoke(const Invocation& invocation) {
  // A closed pipe is an error of the write.
  signal(SIGPIPE, SIG_IGN);
  const auto outcome = std::visit(Dispatcher{invocation.common}, invocation.command);
  if (outcome.ok()) return *outcome;
  if (!absl::IsAborted(outcome.status())) {
    std::cerr << "jobrunner: " << outcome.status().message() << '\n';
  }
  return ExitCodeOf(outcome.status());
}

}  // namespace jobrunner::client
