#include "rpc/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/refusal.h"
#include "rpc/served.h"

namespace jobrunner::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ToGrpcStatus, KeepsOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(ToGrpcStatus, GivesEveryErrorAReason) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status =
        ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "message"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), "message");
    EXPECT_EQ(DetailsOf(status).code(), code);
    EXPECT_NE(ReasonIn(status), "");
  }
}

TEST(ToGrpcStatus, SaysWhenToComeAgainWhereThatMakesSense) {
  const auto retries = [](absl::StatusCode code) {
    return DetailsOfKind<google::rpc::RetryInfo>(ToGrpcStatus(absl::Status(code, "m")));
  };
  EXPECT_THAT(retries(absl::StatusCode::kResourceExhausted), SizeIs(1));
  EXPECT_THAT(retries(absl::StatusCode::kUnavailable), SizeIs(1));
  EXPECT_THAT(retries(absl::StatusCode::kInvalidArgument), IsEmpty());
}

TEST(ToGrpcStatus, TakesTheFieldFromAMessageThatBeginsWithItsPath) {
  const auto fields = [](const absl::Status& status) { return FieldsIn(ToGrpcStatus(status)); };
  EXPECT_THAT(fields(absl::InvalidArgumentError("batch.jobs[3].key: is bad: very")),
              ElementsAre("batch.jobs[3].key"));
  EXPECT_THAT(fields(absl::InvalidArgumentError("no such thing: here")), IsEmpty());
  EXPECT_THAT(fields(absl::InvalidArgumentError("nothing")), IsEmpty());
  EXPECT_THAT(fields(absl::NotFoundError("batch.queue: is not there")), IsEmpty());
}

TEST(ToGrpcStatus, KeepsDetailsWithinTheirBound) {
  engine::Violations violations;
  const std::string field(1000, 'f');
  for (int i = 0; i < 100; ++i) violations.Add(engine::FieldPath(field), std::string(1000, 'd'));
  const grpc::Status status = ToGrpcStatus(ToStatus(violations));
  EXPECT_LE(status.error_details().size(), kDetailsBytesMax);
  EXPECT_FALSE(FieldsIn(status).empty());
  EXPECT_EQ(DetailsOfKind<google::rpc::ErrorInfo>(status)[0].metadata().at("violations"), "100");
}

TEST(ToGrpcStatus, CarriesReasonAndMetadata) {
  absl::Status refused = engine::Refuse(absl::StatusCode::kResourceExhausted, "SOME_REASON", "m");
  SetMetadata(&refused, "missed", "7");
  const grpc::Status status = ToGrpcStatus(refused);
  EXPECT_EQ(ReasonIn(status), "SOME_REASON");
  EXPECT_EQ(DetailsOfKind<google::rpc::ErrorInfo>(status)[0].metadata().at("missed"), "7");
}

}  // namespace
}  // namespace jobrunner::rpc
