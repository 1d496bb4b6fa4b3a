#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/attempt.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::workers {

inline constexpr char kBatchId[] = "0192f0c1-0000-7000-8000-000000000001";

// Jobs as a batch has them.
v1::Job HandlerJob(const std::string& name, const std::string& payload = "");
v1::Job CommandJob(const std::vector<std::string>& argv);
// A script for /bin/sh.
v1::Job ShellJob(const std::string& script);

// First attempts at the jobs of one batch. No two attempts made in a process have the same token.
std::vector<engine::Assignment> Assign(const std::vector<v1::Job>& jobs);
engine::Assignment Assign(const v1::Job& job);

}  // namespace jobrunner::workers
