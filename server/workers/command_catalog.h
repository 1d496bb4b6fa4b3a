#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::workers {

// Which commands may be run, and what all of them are given. Immutable: any thread may call it.
class CommandCatalog {
 public:
  // Nothing may be run.
  CommandCatalog();

  // Checks the configuration against the machine: allowed programs have absolute paths and can be
  // executed. INVALID_ARGUMENT names the field, as "commands.allow[2].path: …".
  static absl::StatusOr<CommandCatalog> Load(const config::v1::Commands& config);

  // OK, or PERMISSION_DENIED or INVALID_ARGUMENT with the reason alone.
  absl::Status CheckProgram(std::string_view name) const;
  absl::Status CheckVariable(std::string_view name) const;

  // The file to execute for an allowed name. NOT_FOUND when the PATH does not lead to one. Looks at
  // the file system.
  absl::StatusOr<std::string> FindProgram(std::string_view name) const;

  // Whether FindProgram would answer without a look at the file system.
  bool KnowsPath(std::string_view name) const;

  bool allows_any() const { return allow_any_; }
  std::vector<std::string> Names() const;

  // PATH, HOME, LANG, TMPDIR and whatever the configuration sets.
  const absl::btree_map<std::string, std::string>& environment() const { return environment_; }
  int64_t output_bytes_max() const { return output_bytes_max_; }
  // Empty: the server's own.
  const std::string& working_directory() const { return working_directory_; }

 private:
  absl::Status Allow(const config::v1::AllowedCommand& command);

  bool allow_any_ = false;
  absl::btree_map<std::string, std::string> paths_;
  absl::btree_map<std::string, std::string> environment_;
  int64_t output_bytes_max_;
  std::string working_directory_;
  // The directories of the server's own PATH.
  std::vector<std::string> search_;
};

}  // namespace jobrunner::workers
