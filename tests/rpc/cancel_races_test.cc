// A cancel that comes at any moment of its batch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "rpc/each_store.h"
#include "support/rounds.h"

namespace jobrunner::rpc {
namespace {

class CancelRaces : public OverEachStore {
 protected:
  // Jobs that wait, run, end, fail, wait for a retry, and are ended by a deadline, all at once.
  static v1::BatchSpec MixedBatch(std::mt19937& random) {
    v1::BatchSpec spec = BatchOf(6, HandlerJob("echo"));
    for (int i = 0; i < 3; ++i) {
      *spec.add_jobs() = HandlerJob("sleep", std::to_string(random() % 8));
    }
    v1::Job failing = HandlerJob("fail");
    failing.mutable_options()->mutable_retry_policy()->set_max_attempts(50);
    failing.mutable_options()->mutable_retry_policy()->mutable_initial_backoff()->set_nanos(
        1'000'000);
    *spec.add_jobs() = failing;
    v1::Job late = HandlerJob("sleep", "1000");
    late.mutable_options()->mutable_total_timeout()->set_nanos(1 + random() % 8'000'000);
    *spec.add_jobs() = late;
    v1::Job command;
    for (const char* word : {"/bin/sh", "-c", "sleep 1000"})
      command.mutable_command()->add_argv(word);
    *spec.add_jobs() = command;
    return spec;
  }
  // The answer, which is OK.
  v1::Batch Cancel(const std::string& batch_id) {
    grpc::ClientContext context;
    v1::CancelRequest request;
    request.set_batch_id(batch_id);
    v1::CancelResponse response;
    const grpc::Status status = served_.jobs().Cancel(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.batch();
  }
  // One result for each job; how each ended.
  std::map<int32_t, v1::JobResult> CheckedResults(const std::vector<v1::Event>& events, int jobs) {
    std::map<int32_t, v1::JobResult> results;
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(events[i].sequence(), static_cast<int64_t>(i + 1));
      if (!events[i].has_result()) continue;
      EXPECT_TRUE(results.emplace(events[i].job_index(), events[i].result()).second)
          << "job " << events[i].job_index() << " ended twice";
    }
    EXPECT_EQ(results.size(), static_cast<size_t>(jobs));
    EXPECT_TRUE(events.back().has_batch_finished());
    return results;
  }
  ServedOptions WithCommands() {
    ServedOptions options = OnStore();
    options.allow_any_command = true;
    return options;
  }

  Served served_{WithCommands()};
};

INSTANTIATE_TEST_SUITE_P(Stores, CancelRaces, EachStore(), NameOfStore);

TEST_P(CancelRaces, LeaveOneResultEachAndATruthfulAnswer) {
  std::map<v1::Reason, int> reasons;
  int succeeded = 0;
  for (int round = 0; round < test::Rounds(100); ++round) {
    std::mt19937 random(round);
    const v1::BatchSpec spec = MixedBatch(random);
    const std::string id = Submit(served_, spec).id();
    const auto moment =
        std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 12'000);
    while (std::chrono::steady_clock::now() < moment) std::this_thread::yield();
    const v1::Batch answer = Cancel(id);
    const auto results = CheckedResults(Results(served_, id), spec.jobs_size());
    // The command does not end by itself, so that the cancel was the batch's end.
    EXPECT_TRUE(answer.cancel_requested());
    int64_t succeeded_later = -answer.counts().succeeded();
    for (const auto& [index, result] : results) {
      succeeded_later += result.state() == v1::JOB_STATE_SUCCEEDED;
      succeeded += result.state() == v1::JOB_STATE_SUCCEEDED;
      ++reasons[result.error().reason()];
    }
    EXPECT_EQ(succeeded_later, 0) << "seed " << round << ": a job succeeded after its cancel";
  }
  // The cancels came at moments of every kind.
  EXPECT_GT(succeeded, 0);
  EXPECT_GT(reasons[v1::REASON_CLIENT_CANCEL], 0);
  EXPECT_GT(reasons[v1::REASON_TOTAL_TIMEOUT], 0);
}

}  // namespace
}  // namespace jobrunner::rpc
