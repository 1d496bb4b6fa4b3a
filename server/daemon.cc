#include "server/daemon.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/console.h"
#include "base/spdlog_logger.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "engine/proto_time.h"
#include "server/config.h"
#include "server/grpc_log.h"
#include "server/log_level.h"
#include "server/reload.h"
#include "server/server.h"
#include "server/signal_watch.h"

namespace jobrunner::server {
namespace {

constexpr int kFailed = 1;
constexpr int kMisconfigured = 2;

// Beyond the shutdown grace: what runs gets SIGKILL a second after it, is gone at kStoppedTime, and
// all is over at kEndTime.
constexpr std::chrono::milliseconds kStoppedTime{1400};
constexpr std::chrono::milliseconds kEndTime{2000};
constexpr std::chrono::seconds kEndAtOnceTime{2};
// When nothing runs any more, for readers to see how it ended, and for calls that are being
// answered.
constexpr std::chrono::milliseconds kLastCallsTime{400};
constexpr std::chrono::minutes kDroppedLinesReport{1};

// Before anything of our own may have got its number.
absl::Status CheckInherited(std::optional<int> life_fd) {
  if (!life_fd || fcntl(*life_fd, F_GETFD) >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--exit_with_parent_fd=", *life_fd, ": is not an open descriptor"));
}

base::SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

Daemon::Daemon(Flags flags) : flags_(std::move(flags)), hard_exit_([this] { ExitHard(); }) {}

Daemon::~Daemon() = default;

int Daemon::Run() {
  if (const absl::Status started = Start(); !started.ok()) {
    exit_code_ = Refuse(started);
  } else {
    Serve();
  }
  End();
  return exit_code_;
}

absl::Status Daemon::Start() {
  RETURN_IF_ERROR(CheckInherited(flags_.exit_with_parent_fd));
  signals_ = std::make_unique<SignalWatch>(
      [this](int signal) { occurrences_.Put(SignalCame{signal}); },
      flags_.exit_with_parent_fd.value_or(-1), [this] { occurrences_.Put(ParentGone{}); });
  if (!flags_.remove_directory_on_exit.empty()) {
    ASSIGN_OR_RETURN(directory_, PrivateDirectory::Take(flags_.remove_directory_on_exit));
  }
  ASSIGN_OR_RETURN(config_, LoadConfig(flags_));
  RETURN_IF_ERROR(OpenLogs());
  return StartServer();
}

absl::Status Daemon::OpenLogs() {
  base::SpdlogOptions options;
  options.level = *ParseLogLevel(config_.log().level());
  options.file = config_.log().file();
  options.file_bytes_max = config_.log().file_bytes_max();
  ASSIGN_OR_RETURN(logger_, base::SpdlogLogger::Open(options));
  grpc_log_ = std::make_unique<GrpcLog>(logger_.get());
  return absl::OkStatus();
}

absl::Status Daemon::StartServer() {
  Server::Events events;
  events.drain_asked = [this](std::chrono::nanoseconds grace) {
    occurrences_.Put(DrainAsked{grace});
  };
  events.failed = [this](absl::Status status) { occurrences_.Put(StoreFailed{std::move(status)}); };
  ASSIGN_OR_RETURN(server_, Server::Start(config_, logger_.get(), std::move(events)));
  return absl::OkStatus();
}

int Daemon::Refuse(const absl::Status& status) {
  for (absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    base::Console(STDERR_FILENO).Write(absl::StrCat("jobrunnerd: ", line, "\n"));
  }
  return absl::IsInvalidArgument(status) ? kMisconfigured : kFailed;
}

void Daemon::Serve() {
  base::LogInfo(*logger_, "jobrunnerd %s serves on %s", base::kVersion, server_->address());
  base::Console(STDOUT_FILENO)
      .Write(absl::StrCat("jobrunnerd: serving on ", server_->address(), "\n"));
  std::vector<Occurrence> occurrences;
  while (!ended_) {
    occurrences_.TakeUntil(std::min(drain_end_, Now() + kDroppedLinesReport), &occurrences);
    if (occurrences.empty()) ReportDroppedLines();
    for (const Occurrence& occurrence : occurrences) {
      std::visit([this](const auto& one) { Handle(one); }, occurrence);
    }
    if (!ended_ && Now() >= drain_end_) CutDrainShort();
  }
}

void Daemon::Handle(const SignalCame& came) {
  if (came.signal == SIGHUP) {
    Reload();
  } else if (draining_) {
    base::LogWarning(*logger_, "signal %d while draining: ends at once", came.signal);
    EndAtOnce();
  } else {
    base::LogInfo(*logger_, "signal %d", came.signal);
    Drain(engine::FromDuration(config_.shutdown_grace()));
  }
}

void Daemon::Handle(const ParentGone&) {
  base::LogInfo(*logger_, "who started the server has gone");
  Drain(std::chrono::nanoseconds(0));
}

void Daemon::Handle(const DrainAsked& asked) {
  base::LogInfo(*logger_, "a client asked for a drain");
  Drain(asked.grace);
}

void Daemon::Handle(const Drained&) { ended_ = true; }

void Daemon::Handle(const StoreFailed& failed) {
  base::LogError(*logger_, "the store failed, nothing more can be accepted: %s",
                 failed.status.ToString());
  EndAtOnce();
}

// Once more, the shorter grace counts.
void Daemon::Drain(std::chrono::nanoseconds grace) {
  draining_ = true;
  drain_end_ = std::min(drain_end_, Now() + grace + kStoppedTime);
  hard_exit_.By(Now() + grace + kEndTime);
  server_->Drain(grace, [this] { occurrences_.Put(Drained{}); });
  base::LogInfo(*logger_, "drains: what runs has %s",
                absl::FormatDuration(absl::FromChrono(grace)));
}

void Daemon::CutDrainShort() {
  ended_ = true;
  if (const int32_t running = server_->running(); running > 0) {
    base::LogError(*logger_, "%d jobs have not ended in time", running);
    exit_code_ = kFailed;
  } else {
    // There can be millions, in a store that the end of the process empties.
    base::LogWarning(*logger_, "nothing runs; jobs that never ran were not all cancelled in time");
  }
}

void Daemon::EndAtOnce() {
  exit_code_ = kFailed;
  ended_ = true;
  hard_exit_.By(Now() + kEndAtOnceTime);
}

void Daemon::Reload() {
  const absl::StatusOr<config::v1::Config> read = LoadConfig(flags_);
  if (!read.ok()) {
    base::LogError(*logger_, "configuration not taken over, nothing changes: %s",
                   read.status().message());
    return;
  }
  const std::vector<std::string> differences = TakeOver(*read, &config_);
  server_->Reconfigure(config_);
  for (const std::string& difference : differences) {
    base::LogWarning(*logger_, "waits for the next start: %s", difference);
  }
  base::LogInfo(*logger_, "configuration taken over");
}

void Daemon::ReportDroppedLines() {
  const uint64_t dropped = server_->job_log_lines_dropped();
  if (dropped == dropped_reported_) return;
  base::LogWarning(*logger_, "%d lines of the job log could not be written so far", dropped);
  dropped_reported_ = dropped;
}

void Daemon::End() {
  bool has_lost_handlers = false;
  if (server_ != nullptr) {
    server_->Stop(kLastCallsTime);
    ReportDroppedLines();
    has_lost_handlers = server_->has_lost_handlers();
    base::LogInfo(*logger_, "jobrunnerd ends");
  }
  signals_.reset();
  grpc_log_.reset();
  if (logger_ != nullptr) logger_->Close();
  directory_.Remove();
  all_done_ = true;
  // They may still use what the end of the process would take away.
  if (has_lost_handlers) _exit(exit_code_);
}

void Daemon::ExitHard() {
  if (all_done_) _exit(exit_code_);
  base::Console(STDERR_FILENO).Write("jobrunnerd: did not end in time, and is cut off\n");
  directory_.Remove();
  _exit(kFailed);
}

}  // namespace jobrunner::server
