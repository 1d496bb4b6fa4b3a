#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/executor.h"
#include "jobrunner/v1/job.pb.h"
#include "workers/numbered_assignment.h"

namespace jobrunner::workers {

// Performs attempts at HTTP requests. Any thread may call it; only the destructor blocks: it ends
// what still runs, and nothing is reported after it.
class HttpAttempts {
 public:
  virtual ~HttpAttempts() = default;

  virtual void Start(std::vector<NumberedAssignment> work) = 0;
  // Ends them at once, whatever the grace: there is nothing that a request could do with it.
  // Attempts that have ended, or were never started here, are ignored.
  virtual void Stop(const std::vector<engine::StopOrder>& orders) = 0;
};

// HTTP jobs, as the catalog and the pool see them. What is behind it (workers/http/) links libcurl,
// which programs that embed jobrunner are to be spared. Immutable: any thread may call it.
class HttpJobs {
 public:
  virtual ~HttpJobs() = default;

  // OK, or PERMISSION_DENIED or INVALID_ARGUMENT with the reason alone. Does not block.
  virtual absl::Status CheckUrl(const std::string& url) const = 0;

  // Where requests may go, as WorkCatalog has it.
  virtual std::vector<std::string> Hosts() const = 0;

  // Both outlive what is returned, as does this. UNAVAILABLE when the machine has no room for it.
  virtual absl::StatusOr<std::unique_ptr<HttpAttempts>> Begin(engine::AttemptSink* sink) const = 0;
};

}  // namespace jobrunner::workers
