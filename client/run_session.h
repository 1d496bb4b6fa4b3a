#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/admission.h"
#include "client/argument_source.h"
#include "client/batch_canceller.h"
#include "client/batch_follower.h"
#include "client/halt_policy.h"
#include "client/inbox.h"
#include "client/job_builder.h"
#include "client/run_output.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::client {

// One run: takes arguments as they come, submits them in batches, follows these, shows what they
// do. The thread that calls Run decides everything; others tell it through its inbox.
class RunSession {
 public:
  struct Options {
    // What all batches of the run have in common; no jobs.
    v1::BatchSpec batch;
    Admission::Limits admission;
    HaltPolicy halt;
    // Of each batch; its id is filled in.
    v1::StreamResultsRequest reading;
  };

  // All pointers outlive the session.
  RunSession(Options options, Client* client, JobBuilder* builder, RunOutput* output);
  ~RunSession();

  // The source of arguments, to be made with ArgumentsCame as its callback, and to outlive Run.
  // Returns the exit status once every job has ended; errors are what kept jobs from being run.
  absl::StatusOr<int> Run(ArgumentSource* arguments);

  // These may be called from any thread, at any time, and do not block.
  void ArgumentsCame();
  // Cancels what runs, and lets Run return when that has ended, with 128 + the signal's number.
  void Signalled(int signal);
  // The private server is gone, with what it said.
  void ServerEnded(std::string said);

 private:
  struct ArgumentsReady {};
  struct Events {
    int64_t batch;
    v1::StreamResultsResponse response;
  };
  struct BatchEnded {
    int64_t batch;
    absl::Status status;
  };
  struct Signal {
    int number;
  };
  struct ServerGone {
    std::string said;
  };
  using Message = std::variant<ArgumentsReady, Events, BatchEnded, Signal, ServerGone>;

  struct OpenBatch {
    std::vector<RunJob> jobs;
    Admission::Share share;
    std::unique_ptr<BatchFollower> follower;
  };

  // Whether more is submitted, and whether what was is let run.
  enum class Stopping { kNo, kSoon, kNow };

  void Handle(ArgumentsReady);
  void Handle(Events events);
  void Handle(BatchEnded ended);
  void Handle(Signal signal);
  void Handle(ServerGone gone);

  void SubmitWhatFits();
  // False: nothing is left to submit now, or it cannot be.
  bool SubmitSome(int64_t ready);
  std::optional<v1::BatchSpec> BuildBatch(const Admission::Offer& offer, OpenBatch* batch);
  void Follow(int64_t number, v1::BatchSpec spec);

  void Take(OpenBatch* batch, v1::Event event);
  void Count(const v1::JobResult& result);
  void Halt(const RunJob& job);
  void CancelAll(const std::string& reason);
  // Cancels, and makes Run return `status` in the end.
  void Fail(absl::Status status);
  void FlushWhenIdle();
  void Flush();

  bool Finished() const;
  RunProgress Progress() const;
  absl::StatusOr<int> Outcome() const;

  const Options options_;
  Client* const client_;
  JobBuilder* const builder_;
  RunOutput* const output_;
  const absl::Time start_;

  Inbox<Message> inbox_;
  std::atomic<bool> arguments_noted_ = false;
  BatchCanceller canceller_;

  // Of the thread in Run.
  ArgumentSource* arguments_ = nullptr;
  Admission admission_;
  std::map<int64_t, OpenBatch> open_;
  int64_t batches_ = 0;
  int64_t jobs_ = 0;
  Tally tally_;
  Stopping stopping_ = Stopping::kNo;
  bool halted_ = false;
  int first_failure_ = 0;
  int signal_ = 0;
  bool reader_gone_ = false;
  absl::Status error_;
};

}  // namespace jobrunner::client
