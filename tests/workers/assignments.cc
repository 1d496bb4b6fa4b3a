#include "workers/assignments.h"

#include <utility>

#include "engine/shard_jobs.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::workers {

v1::Job HandlerJob(const std::string& name, const std::string& payload) {
  v1::Job job;
  job.mutable_handler()->set_name(name);
  job.mutable_handler()->set_payload(payload);
  return job;
}

v1::Job CommandJob(const std::vector<std::string>& argv) {
  v1::Job job;
  for (const std::string& argument : argv) job.mutable_command()->add_argv(argument);
  return job;
}

v1::Job ShellJob(const std::string& script) { return CommandJob({"/bin/sh", "-c", script}); }

std::vector<engine::Assignment> Assign(const std::vector<v1::Job>& jobs) {
  static uint64_t number = 0;
  v1::BatchSpec spec;
  for (const v1::Job& job : jobs) *spec.add_jobs() = job;
  const auto shard = engine::ShardJobs::Parse(kBatchId, 0, spec.SerializeAsString()).value();
  std::vector<engine::Assignment> assignments;
  for (int32_t index = 0; index < spec.jobs_size(); ++index) {
    ++number;
    engine::Assignment assignment;
    assignment.token = {.epoch = 1, .slot = static_cast<uint32_t>(index), .number = number};
    assignment.jobs = shard;
    assignment.index = index;
    assignments.push_back(std::move(assignment));
  }
  return assignments;
}

engine::Assignment Assign(const v1::Job& job) { return Assign(std::vector<v1::Job>{job})[0]; }

}  // namespace jobrunner::workers
