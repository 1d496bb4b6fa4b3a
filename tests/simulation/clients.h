#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "simulation/world.h"

namespace jobrunner::simulation {

// Those who call a World's engine: they submit, cancel, watch, look, and turn every knob. For one
// thread.
class Clients {
 public:
  explicit Clients(World* world);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Spreads what they do over the world's busy time; returns when that ends.
  base::SteadyTime Schedule();

  // An outcome comes in this Step: now and then its job, or its batch, is cancelled in the same
  // one.
  void RaceOutcome(const std::string& batch_id, int32_t index);

  // No call that was made has an answer any more, and who watched is gone.
  void ServerDied();

  // Calls without an answer.
  int64_t unanswered() const { return unanswered_; }

 private:
  struct Request {
    std::string batch_id;
    v1::BatchSpec spec;
    // It may be forgotten then.
    base::WallTime known_until{};
  };

  void ActSomehow();
  void SubmitNew();
  void SubmitAgain();
  void Submit(const v1::BatchSpec& spec, const std::string& request_id);
  // As Submit, of a batch whose shards are staged first, one after the other, unless the client
  // goes away or the server dies before all are.
  struct Upload {
    std::unique_ptr<engine::Submission> submission;
    v1::BatchSpec spec;
    size_t next_shard = 0;
    int64_t server = 0;
  };
  void Stage(const std::shared_ptr<Upload>& upload);
  void Tell(std::unique_ptr<engine::Submission> submission, const v1::BatchSpec& spec);
  void CheckAnswer(const std::string& batch_id, const std::string& request_id, bool was_draining,
                   const v1::BatchSpec& spec, const absl::StatusOr<v1::Batch>& batch,
                   bool replayed);
  void CancelBatch();
  void CancelJobs();
  void Cancel(const std::string& batch_id, std::vector<int32_t> indexes);
  void Watch();
  void Look();
  void LookAtJobs(const engine::Engine& engine, const v1::Batch& batch);
  void TurnAKnob();

  World& world_;
  Chance& chance_;
  int64_t unanswered_ = 0;
  int64_t servers_died_ = 0;
  int64_t last_id_ = 0;
  int64_t last_request_ = 0;
  std::map<std::string, Request> requests_;
};

}  // namespace jobrunner::simulation
