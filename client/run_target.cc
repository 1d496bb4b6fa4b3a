#include "client/run_target.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "client/console.h"
#include "client/environment.h"
#include "client/run_command.h"
#include "jobrunner/v1/admin_service.pb.h"

namespace jobrunner::client {
namespace {

// What -j 0 means: as many as a server runs with ease.
constexpr int kSlotsMax = 5'000;

int Processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Of a named server, or of as many workers as a pool has, when the run has no bound.
int NamedSlots(const RunOptions& options, const v1::GetServerInfoResponse& info) {
  if (options.jobs.value_or(0) > 0) return *options.jobs;
  return options.pool.empty() ? std::max(info.limits().workers_max(), 1) : kSlotsMax;
}

int Slots(const RunOptions& options) {
  if (!options.jobs) return Processors();
  return *options.jobs == 0 ? kSlotsMax : *options.jobs;
}

absl::StatusOr<RunTarget> StartPrivate(const CommonOptions& common, const RunOptions& options) {
  RunTarget target;
  target.admission.slots = Slots(options);
  auto server = PrivateServer::Start({target.admission.slots, OwnEnvironment(), ""});
  if (!server.ok()) return server.status();
  target.server = std::move(*server);
  target.client = std::make_unique<JobClient>(target.server->address(), ReconnectLimits(common));
  return target;
}

absl::StatusOr<RunTarget> UseNamed(const CommonOptions& common, const RunOptions& options) {
  auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  const auto info = (*client)->GetServerInfo();
  if (!info.ok()) return info.status();
  RunTarget target;
  target.client = std::move(*client);
  target.admission.slots = NamedSlots(options, *info);
  if (options.jobs.value_or(0) > 0) target.admission.mode = Admission::Mode::kShared;
  if (!info->any_command()) target.commands = {info->commands().begin(), info->commands().end()};
  return target;
}

}  // namespace

absl::StatusOr<RunTarget> OpenTarget(const CommonOptions& common, const RunOptions& options,
                                     const HaltPolicy& halt) {
  auto target = common.server.empty() ? StartPrivate(common, options) : UseNamed(common, options);
  if (target.ok() && halt.when() == HaltPolicy::When::kSoon) {
    target->admission.mode = Admission::Mode::kDirect;
  }
  return target;
}

}  // namespace jobrunner::client
