#include "server/config.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/limits.h"
#include "google/protobuf/util/time_util.h"
#include "server/config_check.h"
#include "server/config_json.h"
#include "server/flags.h"
#include "server/state_directory.h"

namespace jobrunner::server {
namespace {

using config::v1::Config;
using google::protobuf::util::TimeUtil;

constexpr std::streamsize kFileBytesMax = 4 << 20;
constexpr int64_t kLogFileBytesDefault = 64 << 20;

// Twice the cores: jobs wait for something else half of the time.
int32_t DefaultWorkersMax() {
  return std::max(4, 2 * static_cast<int32_t>(std::thread::hardware_concurrency()));
}

absl::Status Annotated(const absl::Status& status, const std::string& path) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, "cannot be opened");
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), kFileBytesMax + 1);
  if (file.bad()) return absl::ErrnoToStatus(errno, "cannot be read");
  if (file.gcount() > kFileBytesMax) return absl::InvalidArgumentError("is larger than 4 MiB");
  text.resize(file.gcount());
  return text;
}

// Empty, which is no store, where there is no place for one.
std::string DefaultStore() {
  const std::string directory = StateDirectory(getenv, geteuid() == 0);
  return directory.empty() ? "" : absl::StrCat("rocksdb:", directory);
}

// Assigns unless set, for fields with presence.
#define JOBRUNNER_DEFAULT(message, field, value) \
  if (!(message)->has_##field()) (message)->set_##field(value)

void FillInLimits(config::v1::Limits* limits) {
  JOBRUNNER_DEFAULT(limits, jobs_per_batch_max, engine::kJobsPerBatchDefault);
  JOBRUNNER_DEFAULT(limits, jobs_unfinished_max, engine::kJobsUnfinishedDefault);
  JOBRUNNER_DEFAULT(limits, request_bytes_max, engine::kRequestBytesDefault);
  JOBRUNNER_DEFAULT(limits, memory_store_bytes, engine::kMemoryStoreBytesDefault);
  JOBRUNNER_DEFAULT(limits, shards_loaded_max, engine::kShardsLoadedDefault);
  JOBRUNNER_DEFAULT(limits, disk_reserve, engine::kDiskReserveDefault);
  JOBRUNNER_DEFAULT(limits, batch_bytes_max, engine::kBatchBytesDefault);
  JOBRUNNER_DEFAULT(limits, uploads_max, engine::kUploadsDefault);
}

void FillInBackup(config::v1::Backup* backup) {
  constexpr int32_t kBackupsKept = 7;
  JOBRUNNER_DEFAULT(backup, keep, kBackupsKept);
}

void FillInWorkers(config::v1::Workers* workers) {
  JOBRUNNER_DEFAULT(workers, min, 0);
  JOBRUNNER_DEFAULT(workers, max, std::max(DefaultWorkersMax(), workers->min()));
  if (!workers->has_lease()) {
    *workers->mutable_lease() = TimeUtil::SecondsToDuration(engine::kWorkerLeaseDefault.count());
  }
}

void FillInLog(config::v1::Log* log) {
  if (log->level().empty()) log->set_level("info");
  if (log->job_log_format().empty()) log->set_job_log_format("text");
  JOBRUNNER_DEFAULT(log, file_bytes_max, kLogFileBytesDefault);
}

void FillInHttp(config::v1::Http* http) {
  JOBRUNNER_DEFAULT(http, response_bytes_max, engine::kOutputBytesDefault);
  if (!http->has_timeout()) {
    *http->mutable_timeout() = TimeUtil::MinutesToDuration(engine::kHttpTimeoutDefault.count());
  }
  if (!http->has_connect_timeout()) {
    *http->mutable_connect_timeout() =
        TimeUtil::SecondsToDuration(engine::kHttpConnectTimeoutDefault.count());
  }
}

#undef JOBRUNNER_DEFAULT

}  // namespace

absl::StatusOr<Config> ReadConfigFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadText(path);
  if (!text.ok()) return Annotated(text.status(), path);
  absl::StatusOr<Config> config = ParseConfigJson(*text);
  if (!config.ok()) return Annotated(config.status(), path);
  return config;
}

void Override(const Flags& flags, Config* config) {
  if (flags.listen) config->set_listen(*flags.listen);
  if (flags.store) config->set_store(*flags.store);
  if (flags.allow_any_command) config->mutable_commands()->set_allow_any(true);
  if (flags.workers_min) config->mutable_workers()->set_min(*flags.workers_min);
  if (flags.workers_max) config->mutable_workers()->set_max(*flags.workers_max);
  if (flags.web_listen) config->mutable_web()->set_listen(*flags.web_listen);
  if (flags.backup_directory) config->mutable_backup()->set_directory(*flags.backup_directory);
  if (flags.log_level) config->mutable_log()->set_level(*flags.log_level);
  if (flags.log_file) config->mutable_log()->set_file(*flags.log_file);
  if (flags.job_log) config->mutable_log()->set_job_log(*flags.job_log);
}

void FillInDefaults(Config* config) {
  if (config->listen().empty()) config->set_listen("127.0.0.1:7420");
  if (config->store().empty()) config->set_store(DefaultStore());
  FillInWorkers(config->mutable_workers());
  FillInLimits(config->mutable_limits());
  FillInLog(config->mutable_log());
  FillInHttp(config->mutable_http());
  config->mutable_web();
  FillInBackup(config->mutable_backup());
  if (!config->mutable_commands()->has_output_bytes_max()) {
    config->mutable_commands()->set_output_bytes_max(engine::kOutputBytesDefault);
  }
  if (!config->has_shutdown_grace()) {
    *config->mutable_shutdown_grace() = TimeUtil::SecondsToDuration(engine::kGraceDefault.count());
  }
  if (!config->has_retention()) {
    *config->mutable_retention() = TimeUtil::HoursToDuration(engine::kRetentionDefault.count());
  }
}

absl::StatusOr<Config> LoadConfig(const Flags& flags) {
  Config config;
  if (!flags.config.empty()) {
    ASSIGN_OR_RETURN(config, ReadConfigFile(flags.config));
  }
  Override(flags, &config);
  FillInDefaults(&config);
  if (absl::Status checked = CheckConfig(config); !checked.ok()) {
    return flags.config.empty() ? checked : Annotated(checked, flags.config);
  }
  return config;
}

}  // namespace jobrunner::server
