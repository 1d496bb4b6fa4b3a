// Which requests were answered, so that asking again changes nothing.

#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// request_ids, remembered as long as their batch and for a while longer. Not thread-safe.
class RequestMemory {
 public:
  struct Answer {
    std::string batch_id;
    std::string fingerprint;
    // How the batch stood when it was removed; until then the engine has it, or a durable store.
    std::optional<v1::Batch> removed;
  };

  // An empty id is not remembered.
  void Remember(const std::string& request_id, Answer answer, base::SteadyTime now);
  // Null if the id is not known.
  const Answer* Find(const std::string& request_id) const;
  // The batch of the request has left for a durable store, which answers from now on: remembered
  // for kRequestAfterBatch.
  void BatchLeft(const std::string& request_id, base::SteadyTime now);
  // The batch of the request is removed, and was last as described: remembered for kRequestKnown
  // from its acceptance.
  void BatchRemoved(const std::string& request_id, v1::Batch last, base::SteadyTime now);
  // Forgets what has been kept for long enough.
  void Sweep(base::SteadyTime now);

 private:
  struct Entry {
    Answer answer;
    base::SteadyTime keep_until{};
  };

  absl::flat_hash_map<std::string, Entry> entries_;
  // Of removed batches, by time.
  std::deque<std::pair<base::SteadyTime, std::string>> leaving_;
};

}  // namespace jobrunner::engine
