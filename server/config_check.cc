#include "server/config_check.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/listen_address.h"
#include "engine/field_path.h"
#include "engine/limits.h"
#include "engine/option_rules.h"
#include "engine/violations.h"
#include "google/protobuf/util/time_util.h"
#include "server/log_level.h"

namespace jobrunner::server {
namespace {

using config::v1::Config;
using google::protobuf::Duration;
using google::protobuf::util::TimeUtil;

constexpr size_t kQueueNameBytesMax = 63;
constexpr int64_t kLogFileBytesMin = 4 << 10;
constexpr std::chrono::seconds kNoTime{0};
// Shorter leases would be lost to pauses of a busy machine.
constexpr std::chrono::seconds kWorkerLeaseMin{1};
constexpr std::chrono::hours kWorkerLeaseMax{1};
static_assert(kWorkerLeaseMin <= engine::kWorkerLeaseDefault);
static_assert(engine::kWorkerLeaseDefault <= kWorkerLeaseMax);

// What is wrong so far, a line each.
class Faults {
 public:
  void Add(const std::string& field, const std::string& why) {
    lines_.push_back(absl::StrCat(field, ": ", why));
  }

  void Range(const std::string& field, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max) return;
    Add(field, absl::StrCat("must be from ", min, " to ", max, ", is ", value));
  }

  void Positive(const std::string& field, const Duration& value, std::chrono::seconds max) {
    Between(field, value, kNoTime, max);
    if (value == Duration()) Add(field, "must be more than 0s");
  }

  void AtLeast(const std::string& field, int64_t value, int64_t min) {
    if (value < min) Add(field, absl::StrCat("must be ", min, " or more, is ", value));
  }

  void Between(const std::string& field, const Duration& value, std::chrono::seconds min,
               std::chrono::seconds max) {
    const Duration least = TimeUtil::SecondsToDuration(min.count());
    const Duration most = TimeUtil::SecondsToDuration(max.count());
    if (value >= least && value <= most) return;
    Add(field, absl::StrCat("must be from ", TimeUtil::ToString(least), " to ",
                            TimeUtil::ToString(most), ", is ", TimeUtil::ToString(value)));
  }

  absl::Status Status() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

std::string At(std::string_view list, int index, std::string_view field) {
  return absl::StrCat(std::string(list), "[", index, "].", std::string(field));
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return absl::ascii_iscntrl(c); });
}

bool IsQueueName(std::string_view name) {
  const auto alnum = [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); };
  return !name.empty() && name.size() <= kQueueNameBytesMax && alnum(name.front()) &&
         alnum(name.back()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return alnum(c) || c == '.' || c == '_' || c == '-';
         });
}

bool IsVariableName(std::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

void CheckListen(const std::string& field, const std::string& text, bool unix_allowed,
                 Faults* faults) {
  const absl::StatusOr<base::ListenAddress> address = base::ParseListenAddress(text);
  if (!address.ok()) return faults->Add(field, std::string(address.status().message()));
  if (address->is_unix() && !unix_allowed) faults->Add(field, "must be HOST:PORT");
}

void CheckStore(const std::string& store, Faults* faults) {
  constexpr std::string_view kRocksDb = "rocksdb:";
  if (store == "memory:") return;
  if (store.starts_with(kRocksDb) && store.size() > kRocksDb.size() && !HasControl(store)) return;
  if (store.empty()) {
    return faults->Add("store",
                       "is not set, and there is no place for one: neither STATE_DIRECTORY, "
                       "XDG_STATE_HOME nor HOME is set");
  }
  faults->Add("store", absl::StrCat("\"", store, "\" is not a store that this version has; ",
                                    "it has \"rocksdb:DIRECTORY\" and \"memory:\""));
}

void CheckWorkers(const config::v1::Workers& workers, Faults* faults) {
  faults->Range("workers.max", workers.max(), 1, engine::kWorkersMax);
  faults->Range("workers.min", workers.min(), 0, engine::kWorkersMax);
  if (workers.min() > workers.max()) {
    faults->Add("workers.min", absl::StrCat("must not be more than workers.max, which is ",
                                            workers.max(), "; is ", workers.min()));
  }
  faults->Between("workers.lease", workers.lease(), kWorkerLeaseMin, kWorkerLeaseMax);
}

void CheckJobDefaults(const std::string& queue, const v1::JobOptions& options, Faults* faults) {
  engine::Violations violations;
  const engine::FieldPath path(queue);
  engine::CheckOptions(engine::FieldPath(path, "job_defaults"), options, &violations);
  for (const engine::Violation& violation : violations.kept()) {
    faults->Add(violation.field, violation.description);
  }
}

void CheckQueues(const Config& config, Faults* faults) {
  std::set<std::string> names;
  for (int i = 0; i < config.queues_size(); ++i) {
    const config::v1::Queue& queue = config.queues(i);
    if (!IsQueueName(queue.name())) {
      faults->Add(At("queues", i, "name"),
                  "must match [a-z0-9]([a-z0-9._-]*[a-z0-9])? and have at most 63 bytes");
    } else if (!names.insert(queue.name()).second) {
      faults->Add(At("queues", i, "name"), absl::StrCat("\"", queue.name(), "\" is given twice"));
    }
    faults->AtLeast(At("queues", i, "max_running"), queue.max_running(), 0);
    faults->AtLeast(At("queues", i, "max_queued"), queue.max_queued(), 0);
    CheckJobDefaults(absl::StrCat("queues[", i, "]"), queue.job_defaults(), faults);
  }
}

void CheckAllowed(const config::v1::Commands& commands, Faults* faults) {
  std::set<std::string> names;
  for (int i = 0; i < commands.allow_size(); ++i) {
    const config::v1::AllowedCommand& allowed = commands.allow(i);
    const std::string name = At("commands.allow", i, "name");
    if (allowed.name().empty() || HasControl(allowed.name())) {
      faults->Add(name, "must not be empty nor have control characters");
    } else if (!names.insert(allowed.name()).second) {
      faults->Add(name, absl::StrCat("\"", allowed.name(), "\" is given twice"));
    }
    if (!allowed.path().starts_with('/') || HasControl(allowed.path())) {
      faults->Add(At("commands.allow", i, "path"), "must be an absolute path");
    }
  }
}

void CheckEnvironment(const config::v1::Commands& commands, Faults* faults) {
  for (const auto& [name, value] : commands.env()) {
    const std::string field = absl::StrCat("commands.env.", name);
    if (!IsVariableName(name)) faults->Add(field, "a name must match [A-Za-z_][A-Za-z0-9_]*");
    if (name.starts_with("JOBRUNNER_")) faults->Add(field, "JOBRUNNER_ is the server's own");
    if (value.find('\0') != value.npos) faults->Add(field, "must not have a NUL byte");
  }
}

void CheckCommands(const config::v1::Commands& commands, Faults* faults) {
  CheckAllowed(commands, faults);
  CheckEnvironment(commands, faults);
  faults->Range("commands.output_bytes_max", commands.output_bytes_max(), 0,
                engine::kOutputBytesMax);
  const std::string& directory = commands.working_directory();
  if (!directory.empty() && (directory[0] != '/' || HasControl(directory))) {
    faults->Add("commands.working_directory", "must be an absolute path");
  }
}

// Hosts and the secret are looked at by who uses them (HttpPolicy).
void CheckHttp(const config::v1::Http& http, Faults* faults) {
  faults->Range("http.redirects_max", http.redirects_max(), 0, engine::kHttpRedirectsMax);
  faults->Range("http.response_bytes_max", http.response_bytes_max(), 0, engine::kOutputBytesMax);
  faults->Positive("http.timeout", http.timeout(), engine::kHttpTimeoutMax);
  faults->Positive("http.connect_timeout", http.connect_timeout(), engine::kHttpTimeoutMax);
}

void CheckLimits(const config::v1::Limits& limits, Faults* faults) {
  faults->Range("limits.jobs_per_batch_max", limits.jobs_per_batch_max(), 1,
                engine::kJobsPerBatchMax);
  faults->AtLeast("limits.jobs_unfinished_max", limits.jobs_unfinished_max(), 1);
  faults->Range("limits.request_bytes_max", limits.request_bytes_max(), 1,
                engine::kRequestBytesMax);
  faults->AtLeast("limits.memory_store_bytes", limits.memory_store_bytes(), 0);
  faults->AtLeast("limits.shards_loaded_max", limits.shards_loaded_max(), 1);
  faults->AtLeast("limits.disk_reserve", limits.disk_reserve(), 0);
  faults->Range("limits.batch_bytes_max", limits.batch_bytes_max(), 1, engine::kBatchBytesMax);
  faults->Range("limits.uploads_max", limits.uploads_max(), 1, engine::kUploadsMax);
}

void CheckLog(const config::v1::Log& log, Faults* faults) {
  if (!ParseLogLevel(log.level())) {
    faults->Add("log.level",
                absl::StrCat("must be debug, info, warning or error, is \"", log.level(), "\""));
  }
  if (log.job_log_format() != "text" && log.job_log_format() != "json") {
    faults->Add("log.job_log_format",
                absl::StrCat("must be text or json, is \"", log.job_log_format(), "\""));
  }
  faults->AtLeast("log.file_bytes_max", log.file_bytes_max(), kLogFileBytesMin);
}

// Backups in the store would be taken for a part of it.
bool LiesIn(const std::string& path, absl::string_view store) {
  if (!absl::ConsumePrefix(&store, "rocksdb:")) return false;
  const auto normal = [](const std::string& of) {
    std::string text = std::filesystem::absolute(of).lexically_normal().string();
    if (!text.ends_with('/')) text.push_back('/');
    return text;
  };
  return absl::StartsWith(normal(path), normal(std::string(store)));
}

void CheckBackup(const Config& config, Faults* faults) {
  const config::v1::Backup& backup = config.backup();
  faults->AtLeast("backup.keep", backup.keep(), 0);
  if (backup.directory().empty()) return;
  if (backup.directory()[0] != '/' || HasControl(backup.directory())) {
    faults->Add("backup.directory", "must be an absolute path");
  } else if (LiesIn(backup.directory(), config.store())) {
    faults->Add("backup.directory", "must not lie in the store");
  }
}

}  // namespace

absl::Status CheckConfig(const Config& config) {
  Faults faults;
  CheckListen("listen", config.listen(), true, &faults);
  CheckStore(config.store(), &faults);
  CheckWorkers(config.workers(), &faults);
  CheckQueues(config, &faults);
  CheckCommands(config.commands(), &faults);
  CheckHttp(config.http(), &faults);
  CheckLimits(config.limits(), &faults);
  faults.Between("shutdown_grace", config.shutdown_grace(), kNoTime, engine::kGraceMax);
  faults.Between("retention", config.retention(), kNoTime, engine::kDurationMax);
  CheckLog(config.log(), &faults);
  CheckBackup(config, &faults);
  if (!config.web().listen().empty()) {
    CheckListen("web.listen", config.web().listen(), false, &faults);
  }
  return faults.Status();
}

}  // namespace jobrunner::server
