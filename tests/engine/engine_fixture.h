#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/fake_clock.h"
#include "support/recording_store.h"

namespace jobrunner::engine {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

// What a call was answered; empty while it was not.
struct Answer {
  std::vector<absl::StatusOr<v1::Batch>> batches;
  bool replayed = false;

  bool given() const { return !batches.empty(); }
  const absl::StatusOr<v1::Batch>& batch() const { return batches.front(); }
};

// An engine with a clock, a store and an executor that do what the test says, in one thread. The
// verbs tell the engine something and let it go on until it has nothing more to do at this moment.
class EngineTest : public testing::Test {
 protected:
  EngineTest();
  // Holds every stored batch's fold against what the engine says of it.
  ~EngineTest() override;

  // Given: to be set before the first verb.
  EngineOptions options;
  EventListener::Interest interest = EventListener::Interest::kNothing;

  // `count` jobs of the handler echo, and what else the text says, as in
  // Spec(2, "max_parallelism: 1").
  static v1::BatchSpec Spec(int count, const std::string& text = "");
  // A job for each text, as in Jobs({"", "options { delay { seconds: 1 } }"}).
  static v1::BatchSpec Jobs(const std::vector<std::string>& jobs, const std::string& text = "");
  static Failure Failed(int32_t code, std::string message = "");
  static Failure FailedFinally(int32_t code = 2);
  static Failure FailedCritically();
  static QueueSettings Queue(std::string name, int32_t max_running = 0, int64_t max_queued = 0);

  // When. Submit expects that the batch is accepted, and returns its id; the others of its kind
  // leave the answer to be looked at.
  std::string Submit(const v1::BatchSpec& spec);
  std::shared_ptr<Answer> Call(const v1::BatchSpec& spec, const std::string& request_id = "");
  std::shared_ptr<Answer> Call(std::unique_ptr<Submission> submission);
  std::unique_ptr<Submission> MakeCall(const v1::BatchSpec& spec);
  std::shared_ptr<Answer> CancelIt(const std::string& id, std::vector<int32_t> indexes = {},
                                   std::chrono::nanoseconds grace = 5s);
  // What a caller does with a durable store before it submits: looks whether the request is known.
  void AskStore(Submission* submission);
  std::shared_ptr<absl::Status> DeleteIt(const std::string& id);
  void Tell(Input input);
  // Several in one Step.
  void TellAll(const std::function<void(std::vector<Input>*)>& add);
  // Moves the clock, with a Step at each moment that the engine asks for.
  void Advance(std::chrono::nanoseconds duration);
  // Moves the clock without a Step before the end.
  void OverSleep(std::chrono::nanoseconds duration);

  void Succeed(const std::string& id, int32_t index, std::string output = "");
  void Fail(const std::string& id, int32_t index, Failure failure = {});
  void Exit(const std::string& id, int32_t index, int32_t code);
  void Lose(const std::string& id, int32_t index);
  // It ignored its stop; its slot is not free.
  void Abandon(const std::string& id, int32_t index);
  void End(const std::string& id, int32_t index, Outcome outcome);
  // Ends every running attempt of the batch, and what follows, until none runs.
  void SucceedAll(const std::string& id);
  // Ends those of the batch's attempts that run now.
  void FailRunning(const std::string& id, int32_t code);
  void SucceedRunning(const std::string& id);
  // The process ends at once, and another starts on what the store has: of commits that are held
  // the first `kept` are there, the others are lost. `down` is how long that takes.
  void Restart(std::chrono::nanoseconds down = {}, size_t kept = 0);
  void DrainNow(std::chrono::nanoseconds grace, int* drained);

  // Then.
  std::vector<int32_t> Running(const std::string& id) const;
  int RunningInAll() const { return static_cast<int>(running_.size()); }
  bool Runs(const std::string& id, int32_t index) const;
  const Assignment& AssignmentOf(const std::string& id, int32_t index) const;
  // The graces of the stops that were asked of the attempt that runs, or ran last.
  std::vector<std::chrono::nanoseconds> StopsOf(const std::string& id, int32_t index) const;
  v1::Batch Describe(const std::string& id) const;
  v1::JobStatus Status(const std::string& id, int32_t index) const;
  v1::JobState StateOf(const std::string& id, int32_t index) const;
  std::vector<v1::Event> Events(const std::string& id) const { return store_.Events(id); }
  // Of the one job; empty message when it has none.
  v1::JobResult ResultOf(const std::string& id, int32_t index) const;
  std::vector<v1::AttemptError> AttemptErrorsOf(const std::string& id, int32_t index) const;
  v1::BatchFinished FinishOf(const std::string& id) const;
  Engine& engine();

  test::FakeClock clock_;
  std::unique_ptr<test::RecordingStore> store_of_its_own_;
  test::RecordingStore& store_;
  std::vector<Notice> notices_;
  std::map<std::string, int64_t> published_;
  // Logs that were opened, and at which sequence.
  std::map<std::string, int64_t> opened_;
  std::vector<std::pair<std::string, int32_t>> started_;
  std::vector<PoolBounds> resizes_;
  // All that remote workers were told so far.
  RemoteOrders remote_;
  absl::Status failure_;

 private:
  using JobName = std::pair<std::string, int32_t>;

  void Settle();
  void StepOnce();
  void EndRunning(const std::string& id, const std::function<void(Outcome&)>& end);
  void Perform(Effects effects);
  void Show(const Publish& publish);

  std::unique_ptr<Engine> engine_;
  std::vector<Input> inputs_;
  base::SteadyTime wake_ = base::SteadyTime::max();
  bool stepping_ = false;
  std::map<JobName, Assignment> running_;
  std::map<JobName, AttemptToken> last_token_;
  std::map<uint64_t, std::vector<std::chrono::nanoseconds>> stops_;
  int last_id_ = 0;
};

}  // namespace jobrunner::engine
