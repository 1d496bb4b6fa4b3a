#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace jobrunner::client {

// What one job of a run wrote.
struct JobOutput {
  // The job's number in the run, from 1.
  int64_t sequence = 0;
  std::string argument;
  std::string output;
  std::string error_output;
};

// Holds outputs back until all before them were given out (--keep-order). Not thread-safe.
class OrderedOutput {
 public:
  // Takes one in and returns what can be shown now, in order.
  std::vector<JobOutput> Add(JobOutput output);

  // What is held although something before it is missing, in order: the run has ended.
  std::vector<JobOutput> TakeRest();

  int64_t held_bytes() const { return held_bytes_; }

 private:
  JobOutput TakeFirst();

  std::map<int64_t, JobOutput> held_;
  int64_t held_bytes_ = 0;
  int64_t next_ = 1;
};

}  // namespace jobrunner::client
