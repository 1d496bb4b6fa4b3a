#include "workers/command_catalog.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace jobrunner::workers {
namespace {

constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";
constexpr int64_t kOutputBytesDefault = 256 << 10;
constexpr int64_t kOutputBytesMax = 1 << 20;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// OK for a regular file that this process may execute.
absl::Status CheckExecutable(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) {
    return absl::NotFoundError(absl::StrCat("\"", path, "\": ", strerror(errno)));
  }
  if (!S_ISREG(file.st_mode)) {
    return absl::NotFoundError(absl::StrCat("\"", path, "\" is not a file"));
  }
  if (access(path.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("\"", path, "\" is not executable"));
  }
  return absl::OkStatus();
}

absl::Status CheckDirectory(const std::string& path) {
  struct stat directory {};
  if (path.empty()) return absl::OkStatus();
  if (path[0] != '/' || stat(path.c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("commands.working_directory: \"", path,
                                                   "\" is not the absolute path of a directory"));
  }
  return absl::OkStatus();
}

absl::Status CheckOutputBytes(int64_t bytes) {
  if (bytes >= 0 && bytes <= kOutputBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("commands.output_bytes_max: must be from 0 to ", kOutputBytesMax));
}

absl::Status CheckVariables(const config::v1::Commands& config) {
  for (const auto& [name, value] : config.env()) {
    const bool is_name = !name.empty() && name.find('=') == std::string::npos;
    if (!is_name || absl::StrContains(name, '\0') || absl::StrContains(value, '\0')) {
      return absl::InvalidArgumentError(absl::StrCat(
          "commands.env[\"", name, "\"]: a name has no \"=\" and neither name nor value a NUL"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> OwnSearchPath() {
  const char* path = getenv("PATH");
  return absl::StrSplit(path == nullptr ? kDefaultPath : path, ':', absl::SkipEmpty());
}

}  // namespace

CommandCatalog::CommandCatalog()
    : environment_(
          {{"PATH", kDefaultPath}, {"HOME", "/"}, {"LANG", "C.UTF-8"}, {"TMPDIR", "/tmp"}}),
      output_bytes_max_(kOutputBytesDefault),
      search_(OwnSearchPath()) {}

absl::StatusOr<CommandCatalog> CommandCatalog::Load(const config::v1::Commands& config) {
  CommandCatalog catalog;
  catalog.allow_any_ = config.allow_any();
  for (int i = 0; i < config.allow_size(); ++i) {
    const absl::Status status = catalog.Allow(config.allow(i));
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("commands.allow[", i, "].", status.message()));
    }
  }
  RETURN_IF_ERROR(CheckVariables(config));
  for (const auto& [name, value] : config.env()) catalog.environment_[name] = value;
  if (config.has_output_bytes_max()) {
    RETURN_IF_ERROR(CheckOutputBytes(config.output_bytes_max()));
    catalog.output_bytes_max_ = config.output_bytes_max();
  }
  RETURN_IF_ERROR(CheckDirectory(config.working_directory()));
  catalog.working_directory_ = config.working_directory();
  return catalog;
}

absl::Status CommandCatalog::Allow(const config::v1::AllowedCommand& command) {
  if (command.name().empty()) return absl::InvalidArgumentError("name: must be set");
  if (command.path().empty() || command.path()[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("path: \"", command.path(), "\" is not an absolute path"));
  }
  const absl::Status executable = CheckExecutable(command.path());
  if (!executable.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("path: ", executable.message()));
  }
  if (!paths_.try_emplace(command.name(), command.path()).second) {
    return absl::InvalidArgumentError(
        absl::StrCat("name: \"", command.name(), "\" is there already"));
  }
  return absl::OkStatus();
}

absl::Status CommandCatalog::CheckProgram(std::string_view name) const {
  if (paths_.contains(View(name))) return absl::OkStatus();
  if (!allow_any_) {
    return absl::PermissionDeniedError(
        absl::StrCat("the command \"", View(name), "\" is not allowed by the configuration"));
  }
  const bool is_relative = absl::StrContains(View(name), '/') && name[0] != '/';
  if (name.empty() || is_relative) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", View(name), "\" is neither an absolute path nor a name without \"/\""));
  }
  return absl::OkStatus();
}

absl::Status CommandCatalog::CheckVariable(std::string_view name) const {
  // These make a harmless program run code of the caller's choice.
  const absl::string_view variable = View(name);
  const bool takes_over = absl::StartsWith(variable, "LD_") || variable == "BASH_ENV" ||
                          variable == "ENV" || variable == "IFS";
  if (allow_any_ || !takes_over) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "may not be set where the configuration allows only some commands");
}

absl::StatusOr<std::string> CommandCatalog::FindProgram(std::string_view name) const {
  if (const auto found = paths_.find(View(name)); found != paths_.end()) return found->second;
  RETURN_IF_ERROR(CheckProgram(name));
  if (name[0] == '/') return std::string(name);
  for (const std::string& directory : search_) {
    std::string path = absl::StrCat(directory, "/", View(name));
    if (CheckExecutable(path).ok()) return path;
  }
  return absl::NotFoundError(
      absl::StrCat("\"", View(name), "\" was not found on the server's PATH"));
}

bool CommandCatalog::KnowsPath(std::string_view name) const {
  return paths_.contains(View(name)) || (!name.empty() && name[0] == '/');
}

std::vector<std::string> CommandCatalog::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, path] : paths_) names.push_back(name);
  return names;
}

}  // namespace jobrunner::workers
