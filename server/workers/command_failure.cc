#include "workers/command_failure.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::workers {
namespace {

constexpr int kCancelled = 1;
constexpr int kUnknown = 2;
constexpr int kResourceExhausted = 8;
constexpr int kFailedPrecondition = 9;
constexpr int kUnavailable = 14;

// Trying again may help: the machine has too little of something.
engine::Failure Scarce(std::string message) {
  return {.code = kResourceExhausted,
          .message = std::move(message),
          .reason = v1::REASON_SPAWN_FAILED,
          .critical = false,
          .final = false};
}

engine::Failure Hopeless(std::string message) {
  return {.code = kFailedPrecondition,
          .message = std::move(message),
          .reason = v1::REASON_SPAWN_FAILED,
          .critical = false,
          .final = true};
}

std::string ExecuteMessage(int error, const std::string& path) {
  const std::string what = absl::StrCat("the command cannot be executed: \"", path, "\": ");
  if (error == ENOENT && access(path.c_str(), F_OK) == 0) {
    return absl::StrCat(what, "the interpreter that it names does not exist");
  }
  if (error == ENOEXEC) {
    return absl::StrCat(what, "is neither a program nor a script that names its interpreter");
  }
  return absl::StrCat(what, strerror(error));
}

std::string AndSurvivors(int32_t survivors) {
  if (survivors == 0) return "";
  return absl::StrCat("; ", survivors, " of the processes it started could not be ended");
}

engine::Failure Ended(v1::Reason reason, std::string message) {
  return {.code = kUnknown,
          .message = std::move(message),
          .reason = reason,
          .critical = false,
          .final = false};
}

}  // namespace

engine::Failure SpawnFailure(const SpawnReport& report, const std::string& path,
                             const std::string& working_directory) {
  switch (report.step) {
    case SpawnStep::kExecute:
      return Hopeless(ExecuteMessage(report.error, path));
    case SpawnStep::kWorkingDirectory:
      return Hopeless(absl::StrCat("the working directory cannot be entered: \"", working_directory,
                                   "\": ", strerror(report.error)));
    case SpawnStep::kStarted:
    case SpawnStep::kRequest:
    case SpawnStep::kProcess:
    case SpawnStep::kSession:
    case SpawnStep::kStandardFiles:
      break;
  }
  return Scarce(absl::StrCat("a process for the command cannot be made: ", strerror(report.error)));
}

engine::Failure ProgramNotFound(const absl::Status& status) {
  return Hopeless(absl::StrCat("the command cannot be executed: ", status.message()));
}

engine::Failure NotAllowed(std::string why) { return Hopeless(std::move(why)); }

engine::Failure NoDescriptorsLeft(int error) {
  return Scarce(absl::StrCat("the command's outputs cannot be opened: ", strerror(error)));
}

engine::Failure StoppedBeforeStart() {
  return {.code = kCancelled,
          .message = "was stopped before it began",
          .reason = v1::REASON_SPAWN_FAILED,
          .critical = false,
          .final = false};
}

engine::Failure SpawnerLost(const std::string& why) {
  return {.code = kUnavailable,
          .message = why,
          .reason = v1::REASON_WORKER_LOST,
          .critical = false,
          .final = false};
}

engine::Failure Unkillable() { return Ended(v1::REASON_SIGNAL, "was killed and does not end"); }

std::unique_ptr<engine::Failure> ExitFailure(const SpawnReport& report) {
  const int status = report.wait_status;
  const std::string survivors = AndSurvivors(report.survivors);
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return std::make_unique<engine::Failure>(Ended(
        v1::REASON_SIGNAL,
        absl::StrCat("was ended by signal ", signal, " (", strsignal(signal), ")", survivors)));
  }
  if (WEXITSTATUS(status) == 0) return nullptr;
  return std::make_unique<engine::Failure>(Ended(
      v1::REASON_EXIT_CODE, absl::StrCat("exited with code ", WEXITSTATUS(status), survivors)));
}

}  // namespace jobrunner::workers
