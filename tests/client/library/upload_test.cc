#include "client/library/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_job_service.h"
#include "client/library/client.h"

namespace jobrunner::client {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::Job JobOf(size_t bytes) {
  v1::Job job;
  job.mutable_handler()->set_name("echo");
  job.mutable_handler()->set_payload(std::string(bytes, 'x'));
  return job;
}

v1::SubmitBatchRequest RequestOf(int jobs, size_t bytes) {
  v1::SubmitBatchRequest request;
  request.mutable_batch()->set_name("n");
  for (int i = 0; i < jobs; ++i) {
    *request.mutable_batch()->add_jobs() = JobOf(bytes);
    request.mutable_batch()->mutable_jobs(i)->set_key(std::to_string(i));
  }
  return request;
}

// So many jobs, and then an error.
class BrokenSource final : public JobSource {
 public:
  explicit BrokenSource(int jobs) : jobs_(jobs) {}
  absl::StatusOr<bool> Next(v1::Job* job) override {
    if (jobs_-- == 0) return absl::InvalidArgumentError("line 7: is no job");
    *job = JobOf(100'000);
    return true;
  }
  absl::Status Rewind() override { return absl::OkStatus(); }

 private:
  int jobs_;
};

class UploadTest : public testing::Test {
 protected:
  absl::StatusOr<v1::Batch> Submit(v1::SubmitBatchRequest request) {
    return client_.Submit(std::move(request));
  }

  FakeJobService service_{[](const v1::Job&) { return Succeeded(""); }};
  Client client_{service_.address(), {.pause_min = {}, .pause_max = {}}};
};

TEST_F(UploadTest, WhatFitsAMessageIsSubmitted) {
  ASSERT_TRUE(Submit(RequestOf(10, 100'000)).ok());
  EXPECT_EQ(service_.upload_messages(), 0);
}

TEST_F(UploadTest, WhatDoesNotIsUploadedInMessagesThatStockServersTake) {
  const v1::SubmitBatchRequest request = RequestOf(100, 90'000);
  const auto batch = Submit(request);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_GT(service_.upload_messages(), 3);
  EXPECT_LT(service_.upload_message_bytes_max(), 2u << 20);
  ASSERT_THAT(service_.submits(), SizeIs(1));
  const v1::SubmitBatchRequest came = service_.submits()[0];
  EXPECT_FALSE(came.request_id().empty());
  EXPECT_EQ(came.batch().SerializeAsString(), request.batch().SerializeAsString());
}

TEST_F(UploadTest, AJobThatFillsAMessageHasItToItself) {
  v1::SubmitBatchRequest request = RequestOf(3, 2 << 20);
  *request.mutable_batch()->add_jobs() = JobOf(kMessageBytesMax - 100);
  ASSERT_TRUE(Submit(request).ok());
  EXPECT_EQ(service_.upload_messages(), 5);
  EXPECT_LE(service_.upload_message_bytes_max(), 4u << 20);
}

TEST_F(UploadTest, AJobThatFitsNoMessageMakesItASubmit) {
  v1::SubmitBatchRequest request = RequestOf(3, 100);
  *request.mutable_batch()->add_jobs() = JobOf(5 << 20);
  ASSERT_TRUE(Submit(request).ok());
  EXPECT_EQ(service_.upload_messages(), 0);
}

TEST_F(UploadTest, IsSentAgainWholeWhileTheServerIsAway) {
  service_.RefuseNextSubmits({{grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining")},
                              {grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"), true}});
  const auto batch = Submit(RequestOf(60, 90'000));
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_THAT(service_.submits(), SizeIs(3));
  EXPECT_EQ(service_.submits()[0].SerializeAsString(), service_.submits()[2].SerializeAsString());
  EXPECT_EQ(batch->id(), "batch-1");
}

TEST_F(UploadTest, AnErrorOfTheSourceEndsItAndMakesNoBatch) {
  BrokenSource source(30);
  const auto batch = client_.Upload({}, &source);
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(batch.status().message()), HasSubstr("line 7"));
  EXPECT_THAT(service_.submits(), IsEmpty());
}

}  // namespace
}  // namespace jobrunner::client
