// The same request, again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::SizeIs;

constexpr int kClients = 100;

v1::SubmitBatchRequest RequestOf(const v1::BatchSpec& spec) {
  v1::SubmitBatchRequest request;
  request.set_request_id("once");
  *request.mutable_batch() = spec;
  return request;
}

// As a client does: a request whose batch finishes at that moment is UNAVAILABLE, and asked again.
grpc::Status SubmitUntilAnswered(Served& served, const v1::SubmitBatchRequest& request,
                                 v1::SubmitBatchResponse* response) {
  for (;;) {
    grpc::ClientContext context;
    grpc::Status status = served.jobs().SubmitBatch(&context, request, response);
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status;
  }
}

class RequestIds : public OverEachStore {
 protected:
  struct Answer {
    grpc::Status status;
    std::string batch_id;
  };
  // What clients get who send these at once, by turns.
  std::vector<Answer> SubmitAtOnce(const std::vector<v1::SubmitBatchRequest>& requests) {
    std::vector<Answer> answers(kClients);
    std::vector<std::thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&, i] {
        v1::SubmitBatchResponse response;
        answers[i].status = SubmitUntilAnswered(served_, requests[i % requests.size()], &response);
        answers[i].batch_id = response.batch().id();
      });
    }
    for (std::thread& client : clients) client.join();
    return answers;
  }
  v1::ListBatchesResponse Batches() {
    grpc::ClientContext context;
    v1::ListBatchesResponse batches;
    EXPECT_TRUE(served_.jobs().ListBatches(&context, v1::ListBatchesRequest(), &batches).ok());
    return batches;
  }

  Served served_{OnStore()};
};

INSTANTIATE_TEST_SUITE_P(Stores, RequestIds, EachStore(), NameOfStore);

TEST_P(RequestIds, AHundredAtOnceAreOneBatch) {
  const auto answers = SubmitAtOnce({RequestOf(BatchOf(3, HandlerJob("echo")))});
  std::set<std::string> ids;
  for (const Answer& answer : answers) {
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    ids.insert(answer.batch_id);
  }
  ASSERT_THAT(ids, SizeIs(1));
  EXPECT_THAT(Results(served_, *ids.begin()), SizeIs(4));
  EXPECT_THAT(Batches().batches(), SizeIs(1));
}

TEST_P(RequestIds, OfTwoBatchesAtOnceOneWinsAndTheOtherIsRefused) {
  const auto answers = SubmitAtOnce(
      {RequestOf(BatchOf(3, HandlerJob("hold"))), RequestOf(BatchOf(4, HandlerJob("hold")))});
  std::set<std::string> ids;
  int refused = 0;
  for (const Answer& answer : answers) {
    if (answer.status.ok()) {
      ids.insert(answer.batch_id);
    } else {
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
      ++refused;
    }
  }
  EXPECT_THAT(ids, SizeIs(1));
  EXPECT_EQ(refused, kClients / 2);
  EXPECT_THAT(Batches().batches(), SizeIs(1));
}

// Over RocksDB: what the memory store knows ends with its server.
class RequestIdsOfEarlierServers : public ::testing::Test {
 protected:
  ServedOptions At(std::chrono::hours later) const {
    ServedOptions options;
    options.store = "rocksdb:" + directory_.PathOf("store");
    options.wall_ahead = later;
    return options;
  }
  static std::string Submit(Served& served) {
    v1::SubmitBatchResponse response;
    EXPECT_TRUE(
        SubmitUntilAnswered(served, RequestOf(BatchOf(1, HandlerJob("echo"))), &response).ok());
    return response.batch().id();
  }
  static void Delete(Served& served, const std::string& batch_id) {
    grpc::ClientContext context;
    v1::DeleteBatchRequest request;
    request.set_batch_id(batch_id);
    v1::DeleteBatchResponse response;
    EXPECT_TRUE(served.jobs().DeleteBatch(&context, request, &response).ok());
  }

  const test::TemporaryDirectory directory_;
};

TEST_F(RequestIdsOfEarlierServers, AreKnownForADayAndThenMakeANewBatch) {
  std::string first;
  {
    Served served(At(std::chrono::hours(0)));
    first = Submit(served);
    Results(served, first);
    Delete(served, first);
  }
  {
    Served served(At(std::chrono::hours(23)));
    EXPECT_EQ(Submit(served), first);
  }
  Served served(At(std::chrono::hours(25)));
  // What is no longer to be known is looked for when the server starts; until it has been found the
  // first batch is the answer.
  std::string second;
  do {
    second = Submit(served);
  } while (second == first);
  EXPECT_THAT(Results(served, second), SizeIs(2));
}

}  // namespace
}  // namespace jobrunner::rpc
