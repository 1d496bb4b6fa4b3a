#pragma once

#include <unistd.h>

#include <memory>

#include "absl/status/statusor.h"
#include "client/common_options.h"
#include "client/job_client.h"
#include "client/output_stream.h"
#include "client/printer.h"

namespace jobrunner::client {

// Standard output and error of this process, and what shows answers there.
struct Console {
  explicit Console(OutputFormat format) : printer(format, &out, &notes) {}

  OutputStream out{STDOUT_FILENO};
  OutputStream notes{STDERR_FILENO};
  Printer printer;
};

// The server that the options name; UNAVAILABLE when nothing answers there.
absl::StatusOr<std::unique_ptr<JobClient>> ConnectTo(const CommonOptions& options);

RetryLimits ReconnectLimits(const CommonOptions& options);

}  // namespace jobrunner::client
