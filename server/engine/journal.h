// Where all changes of batches are made: applied at once, gathered for the store, shown when
// stored.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "engine/active_batch.h"
#include "engine/effect.h"
#include "engine/event_listener.h"
#include "engine/record.h"

namespace jobrunner::engine {

// A change is applied to its batch the moment it is made, so that the rest of the Step decides on
// what is; its record and its event go to the store at the end of the Step, all of the Step's in
// one commit; and what outsiders see of it (publishing, notices, replies) waits for that commit and
// all before it. Not thread-safe.
class Journal {
 public:
  // At the beginning of a Step.
  void Begin(base::Now now, EventListener::Interest interest);

  // The first record of a batch.
  void Accept(ActiveBatch& active, Accepted accepted);
  // A change without an event.
  void Change(ActiveBatch& active, JobChange change);
  // A change with the event that tells it. `event` needs its kind alone; sequence, time, index and
  // key are set here. Terminal changes get its sequence as their result_sequence.
  void Change(ActiveBatch& active, JobChange change, std::string_view job_key, v1::Event* event);
  // An event without a change.
  void Tell(ActiveBatch& active, int32_t index, std::string_view job_key, v1::Event* event);
  void RequestCancel(ActiveBatch& active, CancelRequested cancel);
  // The last: BatchFinished. The batch is kept for `retention`.
  void Finish(ActiveBatch& active, std::chrono::nanoseconds retention);
  void Remove(const std::string& batch_id, base::WallTime keep_request_until);
  void ForgetRequest(const std::string& request_id);

  // To be called when what this Step has changed is stored.
  void WhenStored(std::function<void()> reply) { replies_.push_back(std::move(reply)); }
  // To be told a remote worker then.
  void AcknowledgeWhenStored(const Acknowledgement& one) { acknowledgements_.push_back(one); }
  void EndWhenStored(WorkerEnd end) { ends_.push_back(std::move(end)); }
  // To be begun then.
  void StartWhenStored(Assignment assignment) { stored_.starts.push_back(std::move(assignment)); }
  // To be opened then: its jobs may run.
  void OpenWhenStored(ActiveBatch& active) { stored_.opened.push_back(&active); }

  // At the end of a Step: hands over what is to be stored, or, where there is nothing to store or
  // to wait for, what is to be shown.
  void End(Effects* effects);

  // A commit is stored: what waited for it is to be shown. Returns the batches to be opened, those
  // whose end is stored, and the attempts to be begun.
  struct Stored {
    std::vector<ActiveBatch*> opened;
    std::vector<ActiveBatch*> finished;
    std::vector<Assignment> starts;
  };
  Stored Committed(uint64_t ticket, Effects* effects);

  // The last commit with what was changed so far, and whether it is stored.
  uint64_t last_ticket() const {
    return writes_.empty() && changed_.empty() ? last_ticket_ : last_ticket_ + 1;
  }
  bool IsStored(uint64_t ticket) const {
    return ticket < (pending_.empty() ? last_ticket_ + 1 : pending_.front().ticket);
  }

  // Events so far: each is serialized once, here.
  int64_t events_written() const { return events_written_; }

  // What was handed over and is not yet stored, about.
  int64_t uncommitted_bytes() const { return uncommitted_bytes_; }

 private:
  struct Pending {
    uint64_t ticket = 0;
    int64_t bytes = 0;
    std::vector<Publish> publishes;
    std::vector<Notice> notices;
    std::vector<std::function<void()>> replies;
    std::vector<Acknowledgement> acknowledgements;
    std::vector<WorkerEnd> ends;
    Stored stored;
  };

  void List(ActiveBatch& active);
  void AddEvent(ActiveBatch& active, v1::Event* event);
  void Notify(const ActiveBatch& active, const JobChange* change, const v1::Event& event);
  // Puts what is pending of the batch into a record.
  void Flush(ActiveBatch& active);
  Sync SyncOf(const Pending& pending) const;
  static void Show(Pending&& pending, Effects* effects);

  base::Now now_{};
  EventListener::Interest interest_ = EventListener::Interest::kNothing;
  std::vector<ActiveBatch*> changed_;
  std::vector<Write> writes_;
  std::vector<Publish> publishes_;
  std::vector<Notice> notices_;
  std::vector<std::function<void()>> replies_;
  std::vector<Acknowledgement> acknowledgements_;
  std::vector<WorkerEnd> ends_;
  Stored stored_;
  std::deque<Pending> pending_;
  // Of this Step's writes, and of all that are pending.
  int64_t bytes_ = 0;
  int64_t uncommitted_bytes_ = 0;
  uint64_t last_ticket_ = 0;
  int64_t events_written_ = 0;
};

}  // namespace jobrunner::engine
