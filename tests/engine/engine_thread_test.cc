// The engine's thread with real threads around it.

#include "engine/engine_thread.h"

#include <map>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "engine/submission.h"
#include "gtest/gtest.h"
#include "support/recording_logger.h"
#include "support/recording_store.h"
#include "support/threaded_executor.h"

namespace jobrunner::engine {
namespace {

using std::chrono_literals::operator""s;

class EngineThreadTest : public testing::Test {
 protected:
  EngineThreadTest() {
    EngineOptions options;
    options.pool = {0, 4};
    // Every shard is loaded on demand.
    options.shards_loaded_max = 0;
    EngineThread::Parts parts;
    parts.clock = &clock_;
    parts.store = &store_;
    parts.logs = &logs_;
    parts.logger = &logger_;
    parts.failed = [this](absl::Status status) { failure_ = status; };
    engine_ = std::make_unique<EngineThread>(options, parts);
  }

  void Start(test::ThreadedExecutor::Report report = test::ThreadedExecutor::Report::kByMail) {
    executor_ = std::make_unique<test::ThreadedExecutor>(engine_.get(), 4, report);
    engine_->Start(executor_.get());
  }

  static v1::BatchSpec Jobs(int jobs, std::string_view handler = "echo") {
    v1::BatchSpec spec;
    for (int i = 0; i < jobs; ++i) {
      spec.add_jobs()->mutable_handler()->set_name(std::string(handler));
    }
    return spec;
  }

  // Submits, and waits for the answer.
  std::string Submit(int jobs, std::string_view handler = "echo") {
    return Submit(Jobs(jobs, handler));
  }
  std::string Submit(const v1::BatchSpec& spec) {
    auto submission = MakeSubmission(engine_->NewBatchId(), spec);
    std::string id = submission->batch_id;
    absl::Notification answered;
    engine::Submit submit;
    submit.submission = std::make_unique<Submission>(*std::move(submission));
    submit.reply = [&](absl::StatusOr<v1::Batch> batch, bool) {
      EXPECT_TRUE(batch.ok());
      answered.Notify();
    };
    engine_->Tell(std::move(submit));
    answered.WaitForNotification();
    return id;
  }

  void CancelIt(const std::string& id) {
    Cancel cancel;
    cancel.batch_id = id;
    engine_->Tell(std::move(cancel));
  }

  void DrainAndWait(std::chrono::nanoseconds grace) {
    absl::Notification drained;
    engine_->Tell(Drain{grace, [&] { drained.Notify(); }});
    drained.WaitForNotification();
  }

  // Many threads submit batches, cancel every other one, whatever it is doing, and stop when all
  // have ended; then each job has one result.
  void SubmitFromManyThreads();

  base::RealClock clock_;
  test::RecordingLogger logger_;
  // Used in the engine's turn alone, until Stop.
  test::RecordingStore store_;
  EventLogs logs_;
  absl::Status failure_;
  std::unique_ptr<EngineThread> engine_;
  std::unique_ptr<test::ThreadedExecutor> executor_;
};

// Waits until its batch's log has ended.
class LastEvent final : public LogReader, public std::enable_shared_from_this<LastEvent> {
 public:
  LastEvent(EventLogs* logs, std::string batch_id) : logs_(*logs), id_(std::move(batch_id)) {}

  void LogGrew() override {
    thread_ = std::this_thread::get_id();
    if (logs_.Await(id_, kBeyondAnyLog, shared_from_this()) == EventLogs::Awaited::kNotLive) {
      ended_.Notify();
    }
  }
  void Wait() {
    LogGrew();
    WaitForThread();
  }
  // After LogGrew: returns on which thread the log ended.
  std::thread::id WaitForThread() {
    ended_.WaitForNotification();
    return thread_;
  }

 private:
  static constexpr int64_t kBeyondAnyLog = 1'000'000'000;
  EventLogs& logs_;
  const std::string id_;
  std::thread::id thread_;
  absl::Notification ended_;
};

void EngineThreadTest::SubmitFromManyThreads() {
  constexpr int kThreads = 6;
  constexpr int kBatches = 5;
  constexpr int kJobs = 300;
  std::vector<std::vector<std::string>> ids(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int b = 0; b < kBatches; ++b) {
        ids[t].push_back(Submit(kJobs));
        if (b % 2 == 1) CancelIt(ids[t].back());
        std::make_shared<LastEvent>(&logs_, ids[t].back())->Wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  DrainAndWait(0s);
  engine_->Stop();
  executor_.reset();
  EXPECT_TRUE(failure_.ok()) << failure_.ToString();
  for (const auto& of_thread : ids) {
    for (const std::string& id : of_thread) {
      std::map<int32_t, int> results;
      for (const v1::Event& event : store_.Events(id)) {
        if (event.has_result()) ++results[event.job_index()];
      }
      EXPECT_EQ(results.size(), size_t{kJobs});
      EXPECT_EQ(store_.Events(id).size(), size_t{kJobs} + 1);
      EXPECT_TRUE(store_.Find(id)->batch->finished());
    }
  }
}

TEST_F(EngineThreadTest, ManyThreadsSubmitAndEveryJobHasOneResult) {
  Start();
  SubmitFromManyThreads();
}

TEST_F(EngineThreadTest, ManyThreadsTakeTheTurnAndEveryJobHasOneResult) {
  Start(test::ThreadedExecutor::Report::kHere);
  SubmitFromManyThreads();
}

TEST_F(EngineThreadTest, AnOutcomeThatIsFinishedHereDoesNotOvertakeTheOutput) {
  Start(test::ThreadedExecutor::Report::kHere);
  constexpr int kJobs = 2000;
  v1::BatchSpec spec = Jobs(kJobs);
  spec.mutable_job_defaults()->set_stream_output(true);
  const std::string id = Submit(spec);
  std::make_shared<LastEvent>(&logs_, id)->Wait();
  engine_->Stop();
  executor_.reset();
  std::vector<int> outputs(kJobs);
  for (const v1::Event& event : store_.Events(id)) {
    if (event.has_output()) ++outputs[event.job_index()];
    // What comes when the attempt has ended is dropped.
    if (event.has_result()) {
      EXPECT_EQ(outputs[event.job_index()], 1);
    }
  }
}

// Keeps what it is given until the test's thread takes it.
class HandExecutor final : public Executor {
 public:
  struct Started {
    AttemptToken token;
    // Which the engine's turn was on.
    std::thread::id thread;
  };

  void Start(std::vector<Assignment> assignments) override {
    for (const Assignment& assignment : assignments) {
      started_.Put({assignment.token, std::this_thread::get_id()});
    }
  }
  void Stop(const std::vector<StopOrder>&) override {}
  void Resize(PoolBounds) override {}
  ExecutorStatistics Statistics() const override { return {}; }

  // Waits for one at least.
  std::vector<Started> Take() {
    std::vector<Started> started;
    started_.Take(&started);
    return started;
  }
  std::vector<Started> TryTake() {
    std::vector<Started> started;
    started_.TryTake(&started);
    return started;
  }

 private:
  base::Mailbox<Started> started_;
};

std::vector<Outcome> OutcomesOf(const std::vector<HandExecutor::Started>& started, bool failed) {
  std::vector<Outcome> outcomes;
  for (const HandExecutor::Started& one : started) {
    Outcome& outcome = outcomes.emplace_back();
    outcome.token = one.token;
    if (failed) outcome.failure = std::make_unique<Failure>();
  }
  return outcomes;
}

TEST_F(EngineThreadTest, WhoBringsOutcomesStartsWhatComesNext) {
  HandExecutor executor;
  engine_->Start(&executor);
  Submit(20'000);
  int here = 0;
  // Now and then the engine's own thread is at work, and goes on.
  while (here == 0) {
    const std::vector<HandExecutor::Started> started = executor.Take();
    for (const auto& one : started) here += one.thread == std::this_thread::get_id() ? 1 : 0;
    engine_->FinishedHere(OutcomesOf(started, false));
  }
  engine_->Stop();
}

// Were the engine's own thread not told when to wake, nobody would.
TEST_F(EngineThreadTest, TheEnginesOwnThreadWakesForWhatWasPlannedElsewhere) {
  HandExecutor executor;
  engine_->Start(&executor);
  constexpr int kJobs = 40;
  v1::BatchSpec spec = Jobs(kJobs);
  v1::RetryPolicy& retry = *spec.mutable_job_defaults()->mutable_retry_policy();
  retry.set_max_attempts(2);
  retry.mutable_initial_backoff()->set_nanos(1'000'000);
  const std::string id = Submit(spec);
  int failed = 0;
  for (int started = 0; started < 2 * kJobs;) {
    const std::vector<HandExecutor::Started> some = executor.Take();
    started += static_cast<int>(some.size());
    failed += static_cast<int>(some.size());
    engine_->FinishedHere(OutcomesOf(some, true));
  }
  std::make_shared<LastEvent>(&logs_, id)->Wait();
  engine_->Stop();
  EXPECT_EQ(failed, 2 * kJobs);
  EXPECT_EQ(store_.Find(id)->batch->count(v1::JOB_STATE_FAILED), kJobs);
}

TEST_F(EngineThreadTest, WhatTakesManyStepsIsNotForWhoBringsAnOutcome) {
  HandExecutor executor;
  engine_->Start(&executor);
  v1::BatchSpec spec = Jobs(30'000);
  spec.set_failure_policy(v1::FAILURE_POLICY_CANCEL_BATCH);
  const std::string id = Submit(spec);
  auto last = std::make_shared<LastEvent>(&logs_, id);
  last->LogGrew();
  std::vector<HandExecutor::Started> started;
  while (started.size() < 4) {
    const std::vector<HandExecutor::Started> more = executor.Take();
    started.insert(started.end(), more.begin(), more.end());
  }
  engine_->FinishedHere(OutcomesOf(started, true));
  EXPECT_NE(last->WaitForThread(), std::this_thread::get_id());
  engine_->Stop();
  EXPECT_TRUE(store_.Find(id)->batch->finished());
}

TEST_F(EngineThreadTest, WhatIsFinishedHereAfterStopIsDropped) {
  HandExecutor executor;
  engine_->Start(&executor);
  const std::string id = Submit(100);
  const std::vector<HandExecutor::Started> started = executor.Take();
  engine_->Stop();
  executor.TryTake();
  engine_->FinishedHere(OutcomesOf(started, false));
  EXPECT_TRUE(executor.TryTake().empty());
  EXPECT_EQ(store_.Find(id)->batch->count(v1::JOB_STATE_SUCCEEDED), 0);
}

TEST_F(EngineThreadTest, AStopReachesWhatRunsOnAnotherThread) {
  Start();
  const std::string id = Submit(4, "wait");
  CancelIt(id);
  std::make_shared<LastEvent>(&logs_, id)->Wait();
  engine_->Stop();
  executor_.reset();
  EXPECT_EQ(store_.Find(id)->batch->count(v1::JOB_STATE_CANCELLED), 4);
}

TEST_F(EngineThreadTest, ADrainWakesUpByItselfWhenItsGraceHasPassed) {
  Start();
  const std::string id = Submit(2, "wait");
  DrainAndWait(std::chrono::milliseconds(20));
  engine_->Stop();
  executor_.reset();
  EXPECT_EQ(store_.Find(id)->batch->cancelled_by()->reason(), v1::REASON_SERVER_SHUTDOWN);
}

TEST_F(EngineThreadTest, StopEndsItWhateverRunsAndMayBeCalledTwice) {
  Start();
  Submit(2, "wait");
  engine_->Stop();
  engine_->Stop();
  bool answered = false;
  engine_->Tell(Drain{0s, [&] { answered = true; }});
  EXPECT_FALSE(answered) << "what is told after Stop is dropped";
}

TEST_F(EngineThreadTest, WhatWasRecoveredIsOpenWhenStartReturnsAndGoesOn) {
  v1::BatchSpec spec;
  for (int i = 0; i < 3; ++i) spec.add_jobs()->mutable_handler()->set_name("echo");
  auto submission = MakeSubmission("batch", spec);
  auto header = std::make_shared<BatchHeader>();
  header->id = "batch";
  header->spec = submission->spec;
  header->spec.set_queue(kDefaultQueue);
  header->job_count = 3;
  header->create_time = clock_.Read().wall;
  Changed started{header->create_time, {{.index = 1}}, nullptr, std::nullopt};
  std::vector<Write> writes;
  writes.emplace_back(Append{"batch", Accepted{header, {submission->shards[0].shard}}});
  writes.emplace_back(Append{"batch", std::move(started)});
  store_.Commit(std::move(writes), Sync::kNow, [](absl::Status) {});

  executor_ = std::make_unique<test::ThreadedExecutor>(engine_.get(), 4);
  auto recovery = store_.Recover();
  engine_->Start(executor_.get(), nullptr, std::move(recovery->unfinished));
  std::make_shared<LastEvent>(&logs_, "batch")->Wait();
  engine_->Stop();
  executor_.reset();
  EXPECT_EQ(store_.Find("batch")->batch->count(v1::JOB_STATE_SUCCEEDED), 3);
  EXPECT_EQ(store_.Find("batch")->batch->Job(1).lost_attempts, 1);
}

TEST_F(EngineThreadTest, OneThatWasNeverStartedCanStop) { engine_->Stop(); }

TEST_F(EngineThreadTest, IdsAreNewAndSortByTime) {
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    std::string next = engine_->NewBatchId();
    EXPECT_LT(last, next);
    last = std::move(next);
  }
}

}  // namespace
}  // namespace jobrunner::engine
