// The port that says what work can be run here.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

// Asked before a batch is accepted. Any thread; does not block.
class WorkCatalog {
 public:
  virtual ~WorkCatalog() = default;

  // OK, or why this work would not be run: PERMISSION_DENIED for a command or a URL that is not
  // allowed, INVALID_ARGUMENT for a variable that may not be set, or for a handler that is unknown
  // where no remote worker could offer it. The message begins with the path of the field within the
  // job, a colon and a space: "command.argv[0]: …". Of an HTTP request only the URL counts.
  virtual absl::Status Check(const v1::Job& job) const = 0;

  virtual std::vector<std::string> Handlers() const = 0;
  virtual std::vector<std::string> Commands() const = 0;
  virtual bool AllowsAnyCommand() const = 0;
  // Where HTTP requests may go, as "HOST" or "HOST:PORT"; nullopt: there are no HTTP jobs.
  virtual std::optional<std::vector<std::string>> HttpHosts() const = 0;
};

}  // namespace jobrunner::engine
