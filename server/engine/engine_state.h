// The inside of the engine. Its parts are in files of their own:
//
//   engine.cc      Step, and the look-ups
//   admission.cc   a batch comes in
//   retention.cc   a batch has finished, and goes
//   scheduling.cc  what starts next; shards come and go
//   outcomes.cc    an attempt ended: the job's transitions
//   stopping.cc    cancels and deadlines
//   workers.cc     remote workers come, hold, go
//   draining.cc    the end
//   recovery.cc    what an earlier server left unfinished goes on

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/prng.h"
#include "engine/active_batch.h"
#include "engine/deadlines.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/ready_queue.h"
#include "engine/request_memory.h"
#include "engine/retry_queue.h"
#include "engine/running_attempts.h"

namespace jobrunner::engine {

struct QueueState {
  QueueSettings settings;
  // Named by the configuration: it takes batches.
  bool listed = true;
  bool paused = false;
  // Its batches get turns.
  bool open = true;
  // For the server's own pool.
  ReadyQueue::Lane* lane = nullptr;
  // Jobs without a result, and of these those that run or wait for a retry.
  int64_t unfinished = 0;
  int64_t running = 0;
  int64_t retrying = 0;
  // What only grows.
  QueueCounts counts;

  bool full() const { return settings.max_running > 0 && running >= settings.max_running; }
};

class Engine::State {
 public:
  explicit State(EngineOptions options);

  Effects Step(base::Now now, EventListener::Interest interest, std::vector<Input>* inputs);

  // Recovery.
  std::vector<Publish> Restore(base::Now now, std::vector<std::unique_ptr<Batch>> unfinished);
  void TakeOver(Batch batch);
  void TakeOverShard(ActiveBatch& active, uint32_t shard, base::WallTime seen);
  void EndLost(ActiveBatch& active, uint32_t shard, int32_t index);
  QueueState& QueueNamed(const std::string& name);

  // Inputs.
  void Handle(Submit& submit);
  void Handle(Outcome& outcome);
  void Handle(std::vector<Outcome>& outcomes);
  void Handle(Committed& committed);
  void Handle(Cancel& cancel);
  void Handle(ShardLoaded& loaded);
  void Handle(OutputChunk& chunk);
  void Handle(ProgressReport& report);
  void Handle(engine::SlotReturned& returned);
  void Handle(Query& query);
  void Handle(DisconnectWatch& watch);
  void Handle(PauseQueue& pause);
  void Handle(ResizePool& resize);
  void Handle(ReconfigureQueues& reconfigure);
  void Handle(Drain& drain);
  void Handle(Delete& remove);
  void Handle(FoundExpired& found);
  void Handle(WorkerJoin& join);
  void Handle(WorkerResize& resize);
  void Handle(WorkerAnswer& answer);
  void Handle(WorkerLeaving& leaving);
  void Handle(WorkerGone& gone);

  // Deadlines.
  void Fire(const Deadlines::BatchDeadline& deadline);
  void Fire(const Deadlines::ShardDeadline& deadline);
  void Fire(const Deadlines::ShardDelay& delay);
  void Fire(const Deadlines::AttemptDeadline& deadline);
  void Fire(const Deadlines::DisconnectDeadline& deadline);
  void Fire(const Deadlines::RetentionEnd& end);
  void Fire(const Deadlines::StopDeadline& deadline);
  void Fire(const Deadlines::WorkerCheckDue& due);
  void Fire(const Deadlines::LeaseEnd& end);
  void Fire(const Deadlines::UnclaimedDeadline&);
  void Fire(const Deadlines::DrainDeadline&);
  void Fire(const Deadlines::ExpiryDue&);

  // Admission.
  absl::Status CheckAdmission(const Submission& submission) const;
  std::optional<RequestMemory::Answer> AnswerTo(const Submission& submission) const;
  void Replay(const Submit& submit, const RequestMemory::Answer& answer);
  ActiveBatch& Accept(Submission& submission);
  void Enlist(ActiveBatch& active, QueueState& queue);
  void AddNeeds(ActiveBatch& active, QueueState& queue);
  std::shared_ptr<const BatchHeader> MakeHeader(Submission& submission,
                                                const QueueState& queue) const;
  void KeepParsed(ActiveBatch& active, std::vector<SubmittedShard>& shards);
  void Open(ActiveBatch& active);
  void SetShardDeadline(ActiveBatch& active, uint32_t shard);
  void SetShardDelay(ActiveBatch& active, uint32_t shard);
  void AddQueue(QueueSettings settings);

  // Retention.
  void FinishIfDone(ActiveBatch& active);
  // Accepts what tells the ends of this Step's finished batches, in the commit that has these.
  void TellFinished();
  std::chrono::nanoseconds RetentionOf(const ActiveBatch& active) const;
  void KeepFinished();
  void DropNeeds(ActiveBatch& active);
  void Keep(ActiveBatch& active);
  void Leave(ActiveBatch& active);
  bool SomeExpired() const;
  void RemoveExpired();
  void Remove(ActiveBatch& active);
  base::WallTime KeepRequestUntil(const std::string& batch_id) const;
  void AfterExpiryStored();

  // Scheduling.
  int32_t free_slots() const { return options_.pool.max - own_running_ - slots_lost(); }
  int64_t FreeSlots(const Capability& capability) const {
    return &capability == &own_ ? free_slots() : capability.free_slots;
  }
  int32_t slots_lost() const { return static_cast<int32_t>(lost_slots_.size()); }
  // So much is not yet stored that nothing is to be added.
  bool store_is_behind() const { return journal_.uncommitted_bytes() > kUncommittedBytesMax; }
  bool CanStart(const ActiveBatch& active, const BatchNeed& need) const;
  void Settle(ActiveBatch& active);
  void SettleLane(QueueState& queue);
  void StartReady();
  // Returns how many it started; sets no_room_.
  int32_t StartReady(Capability& capability, int32_t most);
  int32_t StartsAllowed(const ActiveBatch& active, const Capability& capability) const;
  int32_t StartSome(ActiveBatch& active, BatchNeed& need, int32_t count);
  bool StartWaiting(ActiveBatch& active, BatchNeed& need,
                    std::deque<std::pair<int32_t, base::SteadyTime>>& waiting);
  bool StartFresh(ActiveBatch& active, BatchNeed& need);
  // False when nothing was started: the job is not to start (now), or needs something else.
  bool TryStart(ActiveBatch& active, BatchNeed& need, uint32_t shard, int32_t index,
                base::SteadyTime ready_since);
  void Start(ActiveBatch& active, BatchNeed& need, uint32_t shard, int32_t index,
             const EffectiveOptions& options);
  Capability& CapabilityFor(std::string_view need);
  // A load that is under way for each slot that waits for one.
  int32_t LoadsAtLeast(const Capability& capability) const {
    return static_cast<int32_t>(std::min<int64_t>(FreeSlots(capability), kStartsPerStepMax));
  }
  BatchNeed& NeedFor(ActiveBatch& active, const v1::Job& job);
  void Begin(RunningAttempt& attempt, const EffectiveOptions& options, Assignment&& assignment);
  // What was held until its start was stored: begins, unless it was stopped meanwhile.
  void BeginHeld();
  bool EndUnlessToBegin(const Assignment& start);
  void SetAttemptTimer(RunningAttempt& attempt, const AttemptToken& token,
                       const EffectiveOptions& options);
  void RequeueDue();
  // Null while it is being loaded, which this asks for if there is room or if less than
  // `loads_at_least` loads are under way; otherwise it sets no_room_.
  const ShardJobs* Loaded(ActiveBatch& active, uint32_t shard, int32_t loads_at_least);
  void LoadAhead(ActiveBatch& active);
  void ReleaseIfIdle(ActiveBatch& active, uint32_t shard);
  static EffectiveOptions OptionsOf(const ActiveBatch& active, const v1::Job& job);
  const v1::Job& JobOf(const ActiveBatch& active, uint32_t shard, int32_t index) const {
    return active.shards[shard].jobs->job(index);
  }

  // Outcomes: a job's transitions.
  void Decide(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome);
  void Succeed(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome);
  void Fail(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
            const Failure& failure);
  void FailForGood(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
                   const Failure& failure, bool lost);
  void RetryAt(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
               const Failure& failure, std::chrono::nanoseconds wait, bool lost);
  void CancelRunning(ActiveBatch& active, const RunningAttempt& attempt, Outcome& outcome,
                     const StopCause& cause);
  void CancelWaiting(ActiveBatch& active, uint32_t shard, int32_t index, const v1::Error& error,
                     bool own_deadline);
  void PutBack(ActiveBatch& active, const RunningAttempt& attempt);
  // Of a running attempt.
  void End(Outcome& outcome);
  std::string WorkerOf(const RunningAttempt& attempt, const Outcome& outcome);
  v1::JobResult& NewResult(v1::JobState state);
  void CountEnd(ActiveBatch& active, v1::JobState state, v1::Reason reason);
  void LeaveRunning(ActiveBatch& active, uint32_t slot);
  void AfterFailureForGood(ActiveBatch& active, bool critical);

  // Stopping.
  // Without a grace each running job has its own.
  void CancelBatch(ActiveBatch& active, v1::Error error,
                   std::optional<std::chrono::nanoseconds> grace = std::nullopt);
  void CancelJobs(ActiveBatch& active, const Cancel& cancel, const v1::Error& error);
  void StopAttempt(uint32_t slot, const StopCause& cause, std::chrono::nanoseconds grace);
  void Attend(ActiveBatch& active, uint32_t shard);
  void ListForAttention(ActiveBatch& active);
  void AttendAll();
  // Returns how many jobs it ended.
  int32_t AttendBatch(ActiveBatch& active, int32_t budget);
  int32_t AttendShard(ActiveBatch& active, uint32_t shard);
  bool EndIfDue(ActiveBatch& active, uint32_t shard, int32_t index, base::SteadyTime* next);

  // Remote workers.
  void RefuseOutcome(const Outcome& outcome);
  void Attach(RunningAttempt& attempt, RemoteWorker& worker);
  void Detach(RunningAttempt& attempt);
  void TakeUp(RemoteWorker& worker, RemoteWorker& previous, WorkerJoin& join);
  // False: it is no longer the worker's.
  bool ClaimFromStore(RemoteWorker& worker, const HeldAttempt& held);
  void Adopt(ActiveBatch& active, uint32_t shard, int32_t index);
  void WelcomeIfDecided(RemoteWorker& worker);
  void WelcomeStored();
  void Lose(uint32_t slot, std::string message);
  void PutBackUnbegun(uint32_t slot);
  void RemoveWorker(RemoteWorker& worker, std::string why);
  void RenewLease(RemoteWorker& worker);
  void ForgiveOwnStall();
  void AwaitClaims();
  void FillChecks();

  // Draining.
  // Whether what remote workers have running is all there is, and goes on without this server.
  bool OnlyRemoteGoesOn() const;
  // Whether one of them has been asked to stop an attempt, and may say before long that it has.
  bool AwaitsRemoteStops() const;
  void AdvanceDrain();
  void StopForDrain();
  bool Drained() const;

  // Look-ups.
  ActiveBatch* FindActive(std::string_view batch_id) const;
  // Of a waiting job, as far as is known without loading its shard.
  struct Place {
    // What it needs; null: not known.
    const BatchNeed* need = nullptr;
    // Jobs of its batch that go first.
    int64_t before = 0;
    // When it became ready, if that is known.
    std::optional<base::SteadyTime> since;
  };
  Place PlaceOf(const ActiveBatch& active, int32_t index) const;
  bool NobodyOffers(const ActiveBatch& active, int32_t index) const;
  v1::Wait WaitOf(const ActiveBatch& active, int32_t index) const;
  void AddWait(const ActiveBatch& active, v1::JobStatus* status) const;

  EngineOptions options_;
  base::Prng prng_;

  std::map<std::string, std::unique_ptr<QueueState>> queues_;
  // By id, so by time.
  absl::btree_map<std::string, std::unique_ptr<ActiveBatch>> batches_;
  RequestMemory requests_;
  // The server's own pool.
  Capability own_;
  int32_t own_running_ = 0;
  Fleet fleet_;
  // Their welcomes wait for a commit.
  std::vector<WorkerId> unwelcomed_;
  // Whose turn it is among the capabilities.
  size_t capability_turn_ = 0;
  // When the next Step was asked for.
  base::SteadyTime step_due_ = base::SteadyTime::max();
  // Some batch has unclaimed jobs.
  bool has_unclaimed_ = false;
  Deadlines::Timer unclaimed_timer_;
  RetryQueue retries_;
  Deadlines deadlines_;
  RunningAttempts running_;
  // Tokens' numbers of abandoned attempts whose slots have not come back.
  std::set<uint64_t> lost_slots_;
  // Batches with shards to be looked at.
  std::deque<ActiveBatch*> attention_;
  // Those wait for shards that are being loaded for others.
  bool attention_stalled_ = false;
  int64_t shards_loaded_ = 0;
  int32_t shards_loading_ = 0;
  // A shard was wanted and not asked for: another must arrive first.
  bool no_room_ = false;
  int64_t unfinished_ = 0;
  int64_t batches_running_ = 0;

  // Of a store that is not durable: finished batches, by the order of their ends.
  absl::btree_map<uint64_t, ActiveBatch*> finished_;
  uint64_t last_finish_number_ = 0;
  // Held starts that are stored, to begin in this Step.
  std::vector<Assignment> stored_starts_;
  std::vector<ActiveBatch*> finished_now_;
  std::vector<ActiveBatch*> expired_;
  int64_t kept_bytes_ = 0;
  std::vector<Delete> deletes_;

  // Of a durable one: the commit that removes what had expired, and whether that was all.
  uint64_t expiry_ticket_ = 0;
  bool expiry_written_ = false;
  bool more_expired_ = false;

  enum class Phase { kServing, kGrace, kStopping, kDrained };
  Phase phase_ = Phase::kServing;
  base::SteadyTime drain_end_{};
  Deadlines::Timer drain_timer_;
  std::vector<std::function<void()>> drained_;

  std::array<int64_t, v1::Reason_ARRAYSIZE> cancels_{};
  int64_t outcomes_refused_ = 0;

  // Of the Step that runs.
  const Engine* engine_ = nullptr;
  base::Now now_{};
  Journal journal_;
  Effects effects_;
  // Kept from event to event for its memory.
  v1::Event result_event_;
};

}  // namespace jobrunner::engine
