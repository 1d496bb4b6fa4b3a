#include "client/library/call_error.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

namespace jobrunner::client {
namespace {

using testing::HasSubstr;
using testing::Not;

grpc::Status WithDetails(grpc::StatusCode code, const std::string& message,
                         const std::vector<const google::protobuf::Message*>& details) {
  google::rpc::Status status;
  for (const auto* detail : details) status.add_details()->PackFrom(*detail);
  return grpc::Status(code, message, status.SerializeAsString());
}

TEST(FromGrpc, ShowsTheFieldsThatWereWrong) {
  google::rpc::BadRequest bad_request;
  for (const char* field : {"batch.jobs[1].options.timeout", "batch.queue"}) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description("is wrong");
  }
  const absl::Status status = FromGrpc(WithDetails(
      grpc::StatusCode::INVALID_ARGUMENT, "batch.queue: is wrong; and 1 more", {&bad_request}));
  EXPECT_EQ(status.message(),
            "batch.queue: is wrong; and 1 more\n  batch.jobs[1].options.timeout: is wrong");
  EXPECT_TRUE(IsCallError(status));
}

TEST(FromGrpc, ShowsWhatElseTheServerTells) {
  google::rpc::ErrorInfo info;
  (*info.mutable_metadata())["missed"] = "17";
  const absl::Status status =
      FromGrpc(WithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "too slow", {&info}));
  EXPECT_EQ(status.message(), "too slow\n  missed: 17");
}

TEST(FromGrpc, KeepsTheDetailsAsPayloads) {
  google::rpc::ErrorInfo info;
  info.set_reason("QUEUE_FULL");
  const absl::Status status =
      WithMessage(FromGrpc(WithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "full", {&info})),
                  absl::StatusCode::kUnavailable, "given up");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "given up");
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  ASSERT_TRUE(payload.has_value());
  google::rpc::ErrorInfo kept;
  ASSERT_TRUE(kept.ParseFromString(std::string(*payload)));
  EXPECT_EQ(kept.reason(), "QUEUE_FULL");
}

TEST(FromGrpc, IsSafeForTerminals) {
  EXPECT_THAT(FromGrpc({grpc::StatusCode::UNKNOWN, "a\x1b[31mb"}).message(),
              Not(HasSubstr("\x1b")));
}

TEST(FromGrpc, DetailsThatAreNoneAreLeftOut) {
  const absl::Status status = FromGrpc({grpc::StatusCode::UNKNOWN, "m", "\xff\xff nonsense"});
  EXPECT_EQ(status.message(), "m");
}

TEST(MayRetryCall, OnlyWhatPassesAndWhenTheServerSaysSo) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(2);
  const absl::Status full =
      FromGrpc(WithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "full", {&retry}));
  EXPECT_TRUE(MayRetryCall(full));
  EXPECT_EQ(RetryDelay(full), absl::Seconds(2));
  EXPECT_FALSE(MayRetryCall(FromGrpc({grpc::StatusCode::RESOURCE_EXHAUSTED, "too large"})));
  EXPECT_TRUE(MayRetryCall(FromGrpc({grpc::StatusCode::UNAVAILABLE, "away"})));
  EXPECT_TRUE(MayRetryCall(FromGrpc({grpc::StatusCode::CANCELLED, "the server ended"})));
  EXPECT_FALSE(MayRetryCall(FromGrpc({grpc::StatusCode::NOT_FOUND, "none"})));
  EXPECT_FALSE(MayRetryCall(absl::UnavailableError("of this side")));
}

}  // namespace
}  // namespace jobrunner::client
