// What a worker holds.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/attempt.h"
#include "jobrunner/v1/worker_service.pb.h"

namespace jobrunner::worker {

// The attempts that run here or whose outcome is not acknowledged, by the server's names and by the
// tokens that the pool knows; and what is still to be said of them. What a handler writes waits
// here while the stream is busy or gone: 1 MiB of each attempt at most. Not thread-safe.
class HeldAttempts {
 public:
  using Ids = google::protobuf::RepeatedPtrField<std::string>;

  // Takes it over, under the token that is returned. Nothing for one that is held already.
  std::optional<engine::AttemptToken> Add(const v1::Assignment& assignment);

  // What a handler says. Nothing is taken of an attempt that is not held any more.
  void Take(engine::Outcome outcome);
  void Take(engine::OutputChunk chunk);
  void Take(engine::ProgressReport report);
  // It was given up and holds its thread no more.
  void Return(const engine::AttemptToken& token);

  // The tokens of those that are named and held.
  std::vector<engine::AttemptToken> Find(const Ids& ids) const;
  // The tokens of those that are held and not named.
  std::vector<engine::AttemptToken> FindOthers(const Ids& ids) const;

  void Remove(const std::vector<engine::AttemptToken>& tokens);
  // Its outcome has come to the server.
  void Acknowledge(const std::string& id);

  // A stream begins: what was said on the last one may have been lost with it.
  void SayOutcomesAgain();
  // What is to be said next; nothing when all was.
  std::optional<v1::WorkRequest> NextMessage();

  bool empty() const { return attempts_.empty(); }
  int64_t size() const { return static_cast<int64_t>(attempts_.size()); }
  // All of them.
  void List(Ids* ids) const;

 private:
  struct Attempt {
    std::string id;
    std::optional<v1::AttemptOutcome> outcome;
    // The last one alone.
    std::optional<v1::AttemptProgress> progress;
  };
  using Number = uint64_t;

  Attempt* Find(const engine::AttemptToken& token);
  v1::AttemptOutcomes NextOutcomes();

  Number last_number_ = 0;
  // By the numbers in their tokens.
  absl::flat_hash_map<Number, Attempt> attempts_;
  absl::flat_hash_map<std::string, Number> by_id_;

  // To be said. What has been removed meanwhile is passed over.
  std::deque<v1::AttemptOutput> outputs_;
  std::deque<Number> progress_;
  std::deque<Number> outcomes_;
};

}  // namespace jobrunner::worker
