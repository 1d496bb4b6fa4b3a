#include "workers/command_body.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "workers/rfc3339.h"

namespace jobrunner::workers {
namespace {

class BodyWriter {
 public:
  explicit BodyWriter(CommandBody* body) : body_(*body) {}

  void Text(absl::string_view text) {
    absl::StrAppend(&body_.bytes, text);
    body_.bytes.push_back('\0');
  }
  void Argument(absl::string_view argument) {
    Text(argument);
    ++body_.arguments;
  }
  template <class Value>
  void Variable(absl::string_view name, const Value& value) {
    absl::StrAppend(&body_.bytes, name, "=", value);
    body_.bytes.push_back('\0');
    ++body_.variables;
  }

 private:
  CommandBody& body_;
};

void WriteAttempt(const engine::Assignment& assignment, BodyWriter& writer) {
  writer.Variable("JOBRUNNER_BATCH_ID", assignment.jobs->batch_id());
  writer.Variable("JOBRUNNER_JOB_INDEX", assignment.index);
  writer.Variable("JOBRUNNER_JOB_KEY", assignment.job().key());
  writer.Variable("JOBRUNNER_ATTEMPT", assignment.attempt);
  if (assignment.wall_deadline != base::WallTime::max()) {
    writer.Variable("JOBRUNNER_DEADLINE", Rfc3339(assignment.wall_deadline));
  }
}

}  // namespace

CommandBody BuildCommandBody(const engine::Assignment& assignment, const CommandCatalog& catalog,
                             const std::string& path) {
  const v1::Command& command = assignment.job().command();
  CommandBody body;
  BodyWriter writer(&body);
  writer.Text(path);
  writer.Text(command.working_directory().empty() ? catalog.working_directory()
                                                  : command.working_directory());
  for (const std::string& argument : command.argv()) writer.Argument(argument);
  for (const auto& [name, value] : catalog.environment()) {
    if (!command.env().contains(name)) writer.Variable(name, value);
  }
  for (const auto& [name, value] : command.env()) writer.Variable(name, value);
  WriteAttempt(assignment, writer);
  return body;
}

}  // namespace jobrunner::workers
