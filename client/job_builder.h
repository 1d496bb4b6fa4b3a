#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/command_template.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::client {

// Makes the jobs of a run out of its arguments: the command as it would run here, with its program
// found on this PATH and in this directory, or as it stands, for a pool of other machines.
class JobBuilder {
 public:
  struct Surroundings {
    std::string directory = {};
    std::string path = {};
    // Names that the server itself knows as commands; empty: it runs any.
    std::set<std::string> names = {};
    // Empty: the server's machine. Else neither directory nor path count, but what is there.
    std::string pool = {};
    // For each job.
    std::map<std::string, std::string> environment = {};
  };

  struct BuiltJob {
    v1::Job job;
    // As it was written, for people.
    std::string command;
  };

  JobBuilder(CommandTemplate command, Surroundings surroundings);

  // The job for the argument; `sequence` is its number in the run. None for a blank command line.
  // Errors: INVALID_ARGUMENT for a quote that is not closed or text that is not UTF-8.
  absl::StatusOr<std::optional<BuiltJob>> Build(const std::string& argument, int64_t sequence);

  // What a job takes in a request beside its argument, about.
  size_t bytes_each() const { return bytes_each_; }

 private:
  // As it is for a pool, and when it cannot be found: the server then says so of that job alone.
  const std::string& Program(const std::string& name);

  const CommandTemplate command_;
  const Surroundings surroundings_;
  size_t bytes_each_;
  // One program is usually looked for many times.
  std::map<std::string, std::string> programs_;
};

}  // namespace jobrunner::client
