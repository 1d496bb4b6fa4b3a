// Which requests were answered, so that asking again changes nothing.

#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {

// request_ids, remembered as long as their batch and at least kRequestMemory. Not thread-safe.
class RequestMemory {
 public:
  static constexpr std::chrono::hours kAtLeast{24};

  struct Answer {
    std::string batch_id;
    std::string fingerprint;
    // How the batch stood when it was removed; until then the engine has it.
    std::optional<v1::Batch> removed;
  };

  // An empty id is not remembered.
  void Remember(const std::string& request_id, Answer answer, base::SteadyTime now);
  // Null if the id is not known.
  const Answer* Find(const std::string& request_id) const;
  // The batch of the request is removed, and was last as described.
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
