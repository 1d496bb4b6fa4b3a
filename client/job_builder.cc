#include "client/job_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/library/safe_text.h"
#include "client/program_path.h"

namespace jobrunner::client {
namespace {

// Programs remembered; more than a run of different command lines is likely to have.
constexpr size_t kProgramsMax = 1'000;

absl::Status CheckUtf8(const std::vector<std::string>& argv, int64_t sequence) {
  for (const std::string& word : argv) {
    if (IsUtf8(word)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("argument ", sequence, " is not UTF-8 and cannot be sent: ", SafeText(word)));
  }
  return absl::OkStatus();
}

}  // namespace

JobBuilder::JobBuilder(CommandTemplate command, Surroundings surroundings)
    : command_(std::move(command)),
      surroundings_(std::move(surroundings)),
      bytes_each_(command_.size() + surroundings_.directory.size() + 64) {
  for (const auto& [name, value] : surroundings_.environment) {
    bytes_each_ += name.size() + value.size() + 8;
  }
}

absl::StatusOr<std::optional<JobBuilder::BuiltJob>> JobBuilder::Build(const std::string& argument,
                                                                      int64_t sequence) {
  auto argv = command_.Fill(argument, sequence);
  if (!argv.ok()) return argv.status();
  if (argv->empty()) return std::nullopt;
  if (absl::Status status = CheckUtf8(*argv, sequence); !status.ok()) return status;
  BuiltJob built{v1::Job(), CommandText(*argv)};
  v1::Command& command = *built.job.mutable_command();
  if (surroundings_.pool.empty()) {
    command.set_working_directory(surroundings_.directory);
  } else {
    command.set_pool(surroundings_.pool);
  }
  command.add_argv(Program(argv->front()));
  for (size_t i = 1; i < argv->size(); ++i) command.add_argv(std::move((*argv)[i]));
  command.mutable_env()->insert(surroundings_.environment.begin(), surroundings_.environment.end());
  return built;
}

const std::string& JobBuilder::Program(const std::string& name) {
  if (!surroundings_.pool.empty() || surroundings_.names.contains(name)) return name;
  const auto known = programs_.find(name);
  if (known != programs_.end()) return known->second;
  if (programs_.size() >= kProgramsMax) programs_.clear();
  const auto found = ResolveProgram(name, surroundings_.path, surroundings_.directory);
  return programs_.emplace(name, found.ok() ? *found : name).first->second;
}

}  // namespace jobrunner::client
