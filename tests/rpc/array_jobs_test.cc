#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

v1::Job EchoArray(const std::string& key, int32_t count) {
  v1::Job job = HandlerJob("echo", "number {index}");
  job.set_key(key);
  job.set_count(count);
  return job;
}

class ArrayJobs : public OverEachStore {
 protected:
  grpc::Status TrySubmit(const v1::BatchSpec& spec) {
    grpc::ClientContext context;
    v1::SubmitBatchRequest request;
    *request.mutable_batch() = spec;
    v1::SubmitBatchResponse response;
    return served_.jobs().SubmitBatch(&context, request, &response);
  }

  Served served_{OnStore()};
};

INSTANTIATE_TEST_SUITE_P(Stores, ArrayJobs, EachStore(), NameOfStore);

TEST_P(ArrayJobs, EachElementIsAJobWithItsNumberFilledIn) {
  v1::BatchSpec spec = BatchOf(1, HandlerJob("echo", "alone"));
  *spec.add_jobs() = EchoArray("e", 300);
  const v1::Batch batch = Submit(served_, spec);
  EXPECT_EQ(batch.counts().total(), 301);

  std::map<int32_t, std::pair<std::string, std::string>> seen;
  for (const v1::Event& event : Results(served_, batch.id())) {
    if (event.has_result()) {
      seen[event.job_index()] = {event.job_key(), event.result().output()};
    }
  }
  ASSERT_THAT(seen, SizeIs(301));
  EXPECT_EQ(seen[0], std::pair(std::string(), std::string("alone")));
  for (int32_t i = 0; i < 300; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(seen[1 + i], std::pair("e[" + number + "]", "number " + number));
  }
}

TEST_P(ArrayJobs, ElementsAreLookedUpAsJobs) {
  const v1::Batch batch = Submit(served_, BatchOf(1, EchoArray("e", 300)));
  Results(served_, batch.id());
  v1::GetJobRequest request;
  request.set_batch_id(batch.id());
  request.set_key("e[257]");
  v1::GetJobResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(served_.jobs().GetJob(&context, request, &response).ok());
  const v1::JobStatus& status = response.job();
  EXPECT_EQ(status.index(), 257);
  EXPECT_EQ(status.key(), "e[257]");
  EXPECT_EQ(status.job().handler().payload(), "number 257");
  EXPECT_EQ(status.job().count(), 0);
  EXPECT_EQ(status.result().output(), "number 257");
}

TEST_P(ArrayJobs, WhatIsWrongIsNamedByItsPlaceInTheRequest) {
  v1::BatchSpec spec = BatchOf(1, EchoArray("e", 300));
  *spec.add_jobs() = HandlerJob("");
  EXPECT_THAT(FieldsIn(TrySubmit(spec)), ElementsAre("batch.jobs[1].handler.name"));
  EXPECT_THAT(FieldsIn(TrySubmit(BatchOf(1, EchoArray("e", 2'000'000'000)))),
              ElementsAre("batch.jobs"));
}

}  // namespace
}  // namespace jobrunner::rpc
