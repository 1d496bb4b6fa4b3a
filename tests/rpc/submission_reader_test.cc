#include "rpc/submission_reader.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"
#include "jobrunner/v1/job_service.pb.h"
#include "rpc/served.h"
#include "rpc/status.h"
#include "support/fake_work_catalog.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SubmissionReader : public ::testing::Test {
 protected:
  // The request in slices of so many bytes.
  absl::StatusOr<engine::Submission> Read(const std::string& bytes, size_t slice_bytes = 1 << 20) {
    std::vector<grpc::Slice> slices;
    for (size_t i = 0; i < bytes.size(); i += slice_bytes) {
      slices.emplace_back(bytes.substr(i, slice_bytes));
    }
    return ReadSubmission(grpc::ByteBuffer(slices.data(), slices.size()), "id", limits_, catalog_);
  }
  static v1::SubmitBatchRequest Request(int jobs) {
    v1::SubmitBatchRequest request;
    request.set_request_id("r");
    request.mutable_batch()->set_name("n");
    request.mutable_batch()->set_priority(7);
    (*request.mutable_batch()->mutable_labels())["a"] = "b";
    for (int i = 0; i < jobs; ++i) {
      v1::Job job = HandlerJob("echo", "payload " + std::to_string(i));
      job.set_key(std::to_string(i));
      *request.mutable_batch()->add_jobs() = job;
    }
    return request;
  }
  static std::vector<std::string> KeysOf(const engine::Submission& submission) {
    std::vector<std::string> keys;
    for (const auto& submitted : submission.shards) {
      const auto jobs = engine::ShardJobs::Parse("id", 0, *submitted.shard.bytes);
      EXPECT_TRUE(jobs.ok());
      for (int i = 0; i < (*jobs)->size(); ++i) keys.push_back((*jobs)->job(i).key());
    }
    return keys;
  }
  static void ExpectIs(const absl::StatusOr<engine::Submission>& submission,
                       const v1::SubmitBatchRequest& request) {
    ASSERT_TRUE(submission.ok()) << submission.status();
    EXPECT_EQ(submission->batch_id, "id");
    EXPECT_EQ(submission->request_id, request.request_id());
    EXPECT_EQ(submission->spec.name(), request.batch().name());
    EXPECT_EQ(submission->spec.priority(), request.batch().priority());
    EXPECT_EQ(submission->spec.labels().at("a"), "b");
    EXPECT_EQ(submission->spec.jobs_size(), 0);
    ASSERT_EQ(submission->job_count, request.batch().jobs_size());
    const auto keys = KeysOf(*submission);
    for (int i = 0; i < submission->job_count; ++i) EXPECT_EQ(keys[i], std::to_string(i));
  }
  // The batch's description alone, and its jobs alone.
  static v1::SubmitBatchRequest WithoutJobs(v1::SubmitBatchRequest request) {
    request.mutable_batch()->clear_jobs();
    return request;
  }
  static v1::SubmitBatchRequest JobsAlone(const v1::SubmitBatchRequest& request, int from, int to) {
    v1::SubmitBatchRequest jobs;
    for (int i = from; i < to; ++i) *jobs.mutable_batch()->add_jobs() = request.batch().jobs(i);
    return jobs;
  }

  engine::ValidationLimits limits_;
  test::FakeWorkCatalog catalog_;
};

TEST_F(SubmissionReader, ReadsARequest) {
  const auto request = Request(600);
  ExpectIs(Read(request.SerializeAsString()), request);
}

TEST_F(SubmissionReader, ReadsARequestHoweverItIsSliced) {
  const auto request = Request(20);
  for (const size_t bytes : {1, 2, 3, 7, 64, 100})
    ExpectIs(Read(request.SerializeAsString(), bytes), request);
}

TEST_F(SubmissionReader, ReadsABatchInPiecesAndInAnyOrder) {
  const auto request = Request(10);
  const std::string description = WithoutJobs(request).SerializeAsString();
  const std::string first = JobsAlone(request, 0, 6).SerializeAsString();
  const std::string rest = JobsAlone(request, 6, 10).SerializeAsString();
  const auto whole = Read(request.SerializeAsString());
  for (const std::string& bytes :
       {absl::StrCat(first, description, rest), absl::StrCat(first, rest, description),
        absl::StrCat(description, first, rest)}) {
    const auto submission = Read(bytes);
    ExpectIs(submission, request);
    EXPECT_EQ(submission->fingerprint, whole->fingerprint);
  }
}

TEST_F(SubmissionReader, MergesPiecesOfTheDescriptionAsProtobufDoes) {
  v1::SubmitBatchRequest first = Request(1);
  first.mutable_batch()->mutable_job_defaults()->mutable_timeout()->set_seconds(5);
  v1::SubmitBatchRequest second;
  second.mutable_batch()->set_name("the last one counts");
  second.mutable_batch()->mutable_job_defaults()->set_max_lost_attempts(9);
  const std::string bytes = first.SerializeAsString() + second.SerializeAsString();
  v1::SubmitBatchRequest merged;
  ASSERT_TRUE(merged.ParseFromString(bytes));
  const auto submission = Read(bytes);
  ASSERT_TRUE(submission.ok());
  merged.mutable_batch()->clear_jobs();
  EXPECT_EQ(submission->spec.SerializeAsString(), merged.batch().SerializeAsString());
}

TEST_F(SubmissionReader, PassesOverFieldsItDoesNotKnow) {
  // Field 100: a varint, a text.
  const std::string unknown("\xA0\x06\x05\xA2\x06\x03xyz", 9);
  const auto request = Request(3);
  ExpectIs(Read(unknown + request.SerializeAsString() + unknown), request);
}

TEST_F(SubmissionReader, HasAFingerprintWithARequestIdAlone) {
  auto request = Request(3);
  EXPECT_EQ(Read(request.SerializeAsString())->fingerprint.size(), 16u);
  request.clear_request_id();
  EXPECT_EQ(Read(request.SerializeAsString())->fingerprint, "");
}

TEST_F(SubmissionReader, RefusesEveryRequestThatIsCutShort) {
  const std::string bytes = Request(5).SerializeAsString();
  for (size_t size = 4; size < bytes.size(); ++size) {
    EXPECT_EQ(Read(bytes.substr(0, size)).status().code(), absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST_F(SubmissionReader, RefusesBytesThatAreNoRequest) {
  for (const std::string bytes : {"\xFF", "\x0A\xFF\xFF\xFF\xFF\x0F", "\x12\x02\x2A\x05", "\x0C",
                                  "\x12\x01\x0B", "\x12\xFF\xFF\xFF\xFF\x7F"}) {
    EXPECT_EQ(Read(bytes).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SubmissionReader, SurvivesAnyByteThatIsWrong) {
  const std::string bytes = Request(3).SerializeAsString();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {1, 0x80, 0xFF}) {
      std::string wrong = bytes;
      wrong[i] = static_cast<char>(wrong[i] ^ change);
      const auto submission = Read(wrong, 16);
      v1::SubmitBatchRequest parsed;
      // What protobuf does not take is not taken here either.
      if (!parsed.ParseFromString(wrong)) {
        EXPECT_FALSE(submission.ok()) << i;
      }
    }
  }
}

TEST_F(SubmissionReader, NamesWhatHasTextsThatAreNotUtf8) {
  auto request = Request(300);
  request.set_request_id("\xFF");
  EXPECT_THAT(FieldsIn(ToGrpcStatus(Read(request.SerializePartialAsString()).status())),
              ElementsAre("request_id"));
  request = Request(300);
  request.mutable_batch()->mutable_jobs(280)->set_key("\xFF");
  EXPECT_THAT(FieldsIn(ToGrpcStatus(Read(request.SerializePartialAsString()).status())),
              ElementsAre("batch.jobs[280]"));
  request = Request(300);
  request.mutable_batch()->set_name("\xFF");
  EXPECT_THAT(FieldsIn(ToGrpcStatus(Read(request.SerializePartialAsString()).status())),
              ElementsAre("batch"));
}

TEST_F(SubmissionReader, CountsJobsThatAreTooManyWithoutKeepingThem) {
  limits_.jobs_per_batch_max = 10;
  const auto status = Read(Request(1000).SerializeAsString()).status();
  EXPECT_THAT(FieldsIn(ToGrpcStatus(status)), ElementsAre("batch.jobs"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 1000 jobs, at most 10"));
}

}  // namespace
}  // namespace jobrunner::rpc
