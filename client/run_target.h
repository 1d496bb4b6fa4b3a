#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "client/admission.h"
#include "client/common_options.h"
#include "client/halt_policy.h"
#include "client/job_client.h"
#include "client/private_server.h"

namespace jobrunner::client {

struct RunOptions;

// Where a run's jobs go: to a server of its own, or to the one that was named.
struct RunTarget {
  // Null: a named one.
  std::unique_ptr<PrivateServer> server;
  std::unique_ptr<JobClient> client;
  Admission::Limits admission;
  // Names that the server knows as commands; empty: it runs any.
  std::set<std::string> commands;
};

// Starts or connects to it. To be called before the process uses gRPC.
absl::StatusOr<RunTarget> OpenTarget(const CommonOptions& common, const RunOptions& options,
                                     const HaltPolicy& halt);

}  // namespace jobrunner::client
