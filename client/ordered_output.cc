#include "client/ordered_output.h"

#include <utility>

namespace jobrunner::client {
namespace {

int64_t Bytes(const JobOutput& output) {
  return static_cast<int64_t>(output.output.size() + output.error_output.size());
}

}  // namespace

std::vector<JobOutput> OrderedOutput::Add(JobOutput output) {
  held_bytes_ += Bytes(output);
  held_.emplace(output.sequence, std::move(output));
  std::vector<JobOutput> ready;
  while (!held_.empty() && held_.begin()->first == next_) ready.push_back(TakeFirst());
  return ready;
}

std::vector<JobOutput> OrderedOutput::TakeRest() {
  std::vector<JobOutput> rest;
  while (!held_.empty()) rest.push_back(TakeFirst());
  return rest;
}

JobOutput OrderedOutput::TakeFirst() {
  JobOutput output = std::move(held_.extract(held_.begin()).mapped());
  held_bytes_ -= Bytes(output);
  next_ = output.sequence + 1;
  return output;
}

}  // namespace jobrunner::client
