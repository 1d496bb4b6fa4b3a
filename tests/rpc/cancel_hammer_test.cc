// Calls that end at any moment, by many clients at once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "engine/limits.h"
#include "rpc/each_store.h"
#include "rpc/stub_worker.h"
#include "support/rounds.h"

namespace jobrunner::rpc {
namespace {

constexpr int kClients = 8;
constexpr int kCallsPerClient = 60;

class Hammer : public OverEachStore {
 protected:
  // Runs `client(number, random)` on many threads.
  template <typename Client>
  static void Run(Client client) {
    std::vector<std::thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([=] {
        std::mt19937 random(i + 1);
        for (int call = 0; call < test::Rounds(kCallsPerClient); ++call) client(random);
      });
    }
    for (std::thread& thread : clients) thread.join();
  }
  // A deadline anywhere between a call's start and its end.
  static std::chrono::system_clock::time_point Soon(std::mt19937& random) {
    return std::chrono::system_clock::now() + std::chrono::microseconds(random() % 3000);
  }

  bool HasFinished(const std::string& batch_id) {
    grpc::ClientContext context;
    v1::GetBatchRequest request;
    request.set_batch_id(batch_id);
    v1::GetBatchResponse response;
    EXPECT_TRUE(served_.jobs().GetBatch(&context, request, &response).ok());
    return response.batch().state() != v1::BATCH_STATE_RUNNING;
  }

  // Until no batch runs and no stream is open. A client's call ends before the server knows of it,
  // so it takes a moment; if something were left behind, it would never come to an end.
  void AwaitNothingLeft() {
    v1::GetStatisticsResponse left;
    do {
      grpc::ClientContext context;
      ASSERT_TRUE(served_.admin().GetStatistics(&context, v1::GetStatisticsRequest(), &left).ok());
    } while (left.batches_running() > 0 || left.streams() > 0);
  }

  // Of remote workers.
  static ServedOptions ShortLease() {
    ServedOptions options;
    options.worker_lease = std::chrono::milliseconds(500);
    return options;
  }

  Served served_{OnStore(ShortLease())};
};

INSTANTIATE_TEST_SUITE_P(Stores, Hammer, EachStore(), NameOfStore);

TEST_P(Hammer, RunBatchCallsThatAreCancelledAtAnyMomentLeaveNothingBehind) {
  Run([this](std::mt19937& random) {
    v1::RunBatchRequest request;
    *request.mutable_batch() = BatchOf(5, HandlerJob(random() % 2 ? "hold" : "echo", "x"));
    grpc::ClientContext context;
    const auto reader = served_.jobs().RunBatch(&context, request);
    v1::RunBatchResponse response;
    switch (random() % 4) {
      case 0:  // before anything
        break;
      case 1:  // after the batch
        reader->Read(&response);
        break;
      default: {  // whenever
        std::thread canceller([&context, turns = random() % 3000] {
          for (size_t i = 0; i < turns; ++i) std::this_thread::yield();
          context.TryCancel();
        });
        while (reader->Read(&response)) {
        }
        canceller.join();
      }
    }
    context.TryCancel();
    reader->Finish();
  });
  AwaitNothingLeft();
}

TEST_P(Hammer, DeadlinesAtAnyMomentLeaveNothingBehind) {
  Run([this](std::mt19937& random) {
    v1::RunBatchRequest request;
    *request.mutable_batch() = BatchOf(5, HandlerJob(random() % 2 ? "hold" : "echo", "x"));
    grpc::ClientContext context;
    context.set_deadline(Soon(random));
    const auto reader = served_.jobs().RunBatch(&context, request);
    v1::RunBatchResponse response;
    while (reader->Read(&response)) {
    }
    reader->Finish();
  });
  AwaitNothingLeft();
}

TEST_P(Hammer, ReadersThatLeaveAtAnyMomentDisturbNobody) {
  const v1::Batch batch =
      Submit(served_, BatchOf(3000, HandlerJob("echo", std::string(1000, 'x'))));
  Run([&](std::mt19937& random) {
    v1::StreamResultsRequest request;
    request.set_batch_id(batch.id());
    request.set_follow(true);
    request.set_after_sequence(random() % 3001);
    grpc::ClientContext context;
    context.set_deadline(Soon(random));
    const auto reader = served_.jobs().StreamResults(&context, request);
    v1::StreamResultsResponse response;
    while (reader->Read(&response)) {
    }
    reader->Finish();
  });
  EXPECT_EQ(Results(served_, batch.id()).size(), 3001u);
}

TEST_P(Hammer, WorkersThatGoAtAnyMomentLeaveTheirJobsToOthers) {
  constexpr int kJobs = 300;
  v1::BatchSpec spec = BatchOf(kJobs, HandlerJob("resize"));
  spec.mutable_job_defaults()->set_max_lost_attempts(engine::kLostAttemptsMax);
  const std::string batch = Submit(served_, spec).id();
  Run([&](std::mt19937& random) {
    StubWorker worker(served_, ResizerHello(/*slots=*/5));
    std::thread breaker([&worker, turns = random() % 3000] {
      for (size_t i = 0; i < turns; ++i) std::this_thread::yield();
      worker.Break();
    });
    if (random() % 8 > 0) worker.AwaitWelcome();
    if (random() % 4 > 0) {
      if (const auto one = worker.AwaitAssignment(); one.has_handler()) {
        worker.Succeed(one.assignment_id());
      }
    }
    if (random() % 2 > 0) worker.AwaitAcknowledged();
    breaker.join();
  });
  // What they held is lost a lease later, and goes to one who stays.
  while (!HasFinished(batch)) {
    StubWorker last(served_, ResizerHello(/*slots=*/1));
    last.AwaitWelcome();
    while (!HasFinished(batch)) {
      const auto one = last.AwaitAssignment();
      if (!one.has_handler()) break;
      last.Succeed(one.assignment_id());
      last.AwaitAcknowledged();
    }
  }
  int succeeded = 0;
  for (const v1::Event& event : Results(served_, batch)) {
    succeeded += event.result().state() == v1::JOB_STATE_SUCCEEDED ? 1 : 0;
  }
  EXPECT_EQ(succeeded, kJobs);
  AwaitNothingLeft();
}

TEST_P(Hammer, AStopAmidCallsOfAllKindsEndsThemAll) {
  std::atomic<bool> stopped{false};
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      while (!stopped) {
        grpc::ClientContext context;
        if (i % 2 == 0) {
          v1::RunBatchRequest request;
          *request.mutable_batch() = BatchOf(100, HandlerJob(i % 4 ? "echo" : "hold"));
          const auto reader = served_.jobs().RunBatch(&context, request);
          v1::RunBatchResponse response;
          while (reader->Read(&response)) ++answered;
          reader->Finish();
        } else {
          v1::SubmitBatchRequest request;
          *request.mutable_batch() = BatchOf(100, HandlerJob("echo"));
          v1::SubmitBatchResponse response;
          if (served_.jobs().SubmitBatch(&context, request, &response).ok()) ++answered;
        }
      }
    });
  }
  while (answered < 100) std::this_thread::yield();
  served_.server().Stop(std::chrono::seconds(5));
  EXPECT_EQ(served_.server().streams().events, 0);
  stopped = true;
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace jobrunner::rpc
