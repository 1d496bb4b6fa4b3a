#include "engine/job_rules.h"

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "engine/field_rules.h"
#include "engine/http_rules.h"
#include "engine/limits.h"
#include "engine/submission.h"

namespace jobrunner::engine {
namespace {

// Variables of this kind are the server's to set.
constexpr char kReservedPrefix[] = "JOBRUNNER_";

void CheckArguments(const FieldPath& path, const v1::Command& command, Violations* violations) {
  if (command.argv().empty()) {
    violations->Add(FieldPath(path, "argv"), "is empty: a command has at least its program");
    return;
  }
  if (command.argv_size() > kArgumentsMax) {
    violations->Add(FieldPath(path, "argv"),
                    absl::StrFormat("has %d arguments, at most %d are allowed", command.argv_size(),
                                    kArgumentsMax));
    return;
  }
  if (command.argv(0).empty()) {
    violations->Add(FieldPath(path, "argv", 0), "is empty: it names the program");
  }
  int64_t bytes = 0;
  for (int i = 0; i < command.argv_size(); ++i) {
    const FieldPath argument(path, "argv", i);
    CheckLength(argument, command.argv(i), kArgumentLengthMax, violations);
    CheckNoNul(argument, command.argv(i), violations);
    bytes += static_cast<int64_t>(command.argv(i).size());
  }
  if (bytes > kArgumentBytesMax) {
    violations->Add(
        FieldPath(path, "argv"),
        absl::StrFormat("has %d bytes in all, at most %d are allowed", bytes, kArgumentBytesMax));
  }
}

void CheckVariable(const FieldPath& path, const std::string& name, const std::string& value,
                   Violations* violations) {
  if (!IsVariableName(name)) {
    violations->Add(path, "is not a name of a variable: [A-Za-z_][A-Za-z0-9_]*");
  } else if (absl::StartsWith(name, kReservedPrefix)) {
    violations->Add(path, "is reserved: JOBRUNNER_ variables are set by the server");
  }
  CheckNoNul(path, value, violations);
  // The system takes NAME=VALUE with a NUL behind it.
  CheckLength(path, value, kArgumentLengthMax - static_cast<int64_t>(name.size()) - 2, violations);
}

void CheckEnvironment(const FieldPath& path, const v1::Command& command, Violations* violations) {
  if (command.env_size() > kEnvironmentMax) {
    violations->Add(FieldPath(path, "env"),
                    absl::StrFormat("has %d variables, at most %d are allowed", command.env_size(),
                                    kEnvironmentMax));
    return;
  }
  for (const auto& [name, value] : command.env()) {
    CheckVariable(FieldPath(path, "env", name), name, value, violations);
  }
}

void CheckDirectory(const FieldPath& path, const std::string& directory, Violations* violations) {
  if (directory.empty()) return;
  if (directory.front() != '/') violations->Add(path, "must be an absolute path");
  CheckNoNul(path, directory, violations);
}

void CheckCommand(const FieldPath& path, const v1::Command& command, int64_t payload_bytes_max,
                  Violations* violations) {
  CheckArguments(path, command, violations);
  CheckEnvironment(path, command, violations);
  CheckDirectory(FieldPath(path, "working_directory"), command.working_directory(), violations);
  CheckLength(FieldPath(path, "stdin"), command.stdin(), payload_bytes_max, violations);
  CheckName(FieldPath(path, "pool"), command.pool(), kPoolNameBytesMax, violations);
}

void CheckHandlerCall(const FieldPath& path, const v1::HandlerCall& call, int64_t payload_bytes_max,
                      Violations* violations) {
  CheckHandlerName(FieldPath(path, "name"), call.name(), violations);
  CheckLength(FieldPath(path, "payload"), call.payload(), payload_bytes_max, violations);
  CheckLength(FieldPath(path, "content_type"), call.content_type(), kNameBytesMax, violations);
}

}  // namespace

void CheckHandlerName(const FieldPath& path, const std::string& name, Violations* violations) {
  if (name.empty()) violations->Add(path, "is empty");
  CheckName(path, name, kNameBytesMax, violations);
  if (absl::StartsWith(name, kPoolNeedPrefix)) {
    violations->Add(path,
                    absl::StrFormat("begins with \"%s\", which is reserved", kPoolNeedPrefix));
  }
}

void CheckWork(const FieldPath& path, const v1::Job& job, int64_t payload_bytes_max,
               Violations* violations) {
  CheckName(FieldPath(path, "key"), job.key(), kNameBytesMax, violations);
  switch (job.work_case()) {
    case v1::Job::kCommand:
      return CheckCommand(FieldPath(path, "command"), job.command(), payload_bytes_max, violations);
    case v1::Job::kHttp:
      return CheckHttpRequest(FieldPath(path, "http"), job.http(), payload_bytes_max, violations);
    case v1::Job::kHandler:
      return CheckHandlerCall(FieldPath(path, "handler"), job.handler(), payload_bytes_max,
                              violations);
    case v1::Job::WORK_NOT_SET:
      return violations->Add(FieldPath(path, "work"),
                             "is not set: neither command, http nor handler");
  }
}

}  // namespace jobrunner::engine
