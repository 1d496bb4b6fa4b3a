// Whether two batches are the same one.

#pragma once

#include <memory>
#include <string>

#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// Sums up a batch in 16 bytes, so that a request_id used again can be held against its first use
// without keeping the batch: equal for equal messages, whatever the order of their maps and fields,
// today and by later versions. XXH3 with 128 bits over each job and then the description,
// serialized with their maps sorted. Against mistakes, not against malice: who can forge it forges
// his own batches. Not thread-safe.
class Fingerprint {
 public:
  Fingerprint();
  ~Fingerprint();
  Fingerprint(const Fingerprint&) = delete;
  Fingerprint& operator=(const Fingerprint&) = delete;

  // The next job, or array, as it was submitted.
  void AddJob(const v1::Job& job) { Add(job); }

  // `spec` is the batch without its jobs. The fingerprint is spent afterwards.
  std::string Finish(const v1::BatchSpec& spec);

 private:
  struct State;

  void Add(const google::protobuf::MessageLite& message);

  const std::unique_ptr<State> state_;
};

}  // namespace jobrunner::engine
