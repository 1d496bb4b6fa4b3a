#include "rpc/gathered_message.h"

#include <gtest/gtest.h>

#include <string>

#include "jobrunner/v1/worker_service.pb.h"
#include "rpc/message_bytes.h"

namespace jobrunner::rpc {
namespace {

v1::WorkResponse Parsed(GatheredMessage& message, size_t* bytes = nullptr) {
  const grpc::ByteBuffer built = message.Build();
  if (bytes != nullptr) *bytes = built.Length();
  v1::WorkResponse response;
  EXPECT_TRUE(ParseMessage(built, &response).ok());
  return response;
}

v1::Assignment AssignmentWith(const std::string& payload) {
  v1::Assignment assignment;
  assignment.mutable_handler()->set_payload(payload);
  return assignment;
}

TEST(GatheredMessage, IsTheMessageOfItsItems) {
  GatheredMessage message(v1::WorkResponse::kAssignmentsFieldNumber);
  message.Add(v1::Assignments::kAssignmentsFieldNumber, AssignmentWith("a"));
  message.Add(v1::Assignments::kAssignmentsFieldNumber, AssignmentWith(std::string(500, 'b')));
  const v1::WorkResponse response = Parsed(message);
  ASSERT_EQ(response.assignments().assignments_size(), 2);
  EXPECT_EQ(response.assignments().assignments(0).handler().payload(), "a");
  EXPECT_EQ(response.assignments().assignments(1).handler().payload(), std::string(500, 'b'));
}

TEST(GatheredMessage, HasListsOfTexts) {
  GatheredMessage message(v1::WorkResponse::kAcknowledgedFieldNumber);
  message.Add(v1::AcknowledgedOutcomes::kAssignmentIdsFieldNumber, "x");
  message.Add(v1::AcknowledgedOutcomes::kRefusedIdsFieldNumber, "x");
  message.Add(v1::AcknowledgedOutcomes::kAssignmentIdsFieldNumber, "y");
  const v1::WorkResponse response = Parsed(message);
  ASSERT_EQ(response.acknowledged().assignment_ids_size(), 2);
  EXPECT_EQ(response.acknowledged().assignment_ids(1), "y");
  ASSERT_EQ(response.acknowledged().refused_ids_size(), 1);
  EXPECT_EQ(response.acknowledged().refused_ids(0), "x");
}

TEST(GatheredMessage, IsFilledUpToTheMaximumAndNotBeyond) {
  GatheredMessage message(v1::WorkResponse::kAssignmentsFieldNumber);
  const v1::Assignment item = AssignmentWith(std::string(1000, 'x'));
  int added = 0;
  for (; message.HasRoomFor(item.ByteSizeLong()); ++added) {
    message.Add(v1::Assignments::kAssignmentsFieldNumber, item);
  }
  size_t bytes = 0;
  EXPECT_EQ(Parsed(message, &bytes).assignments().assignments_size(), added);
  EXPECT_LE(bytes, static_cast<size_t>(engine::kMessageBytesMax));
  EXPECT_GT(bytes, static_cast<size_t>(engine::kMessageBytesMax) - 1100);
}

TEST(GatheredMessage, HasRoomForOneItemHoweverLarge) {
  GatheredMessage message(v1::WorkResponse::kAssignmentsFieldNumber);
  const v1::Assignment large = AssignmentWith(std::string(engine::kMessageBytesMax, 'x'));
  ASSERT_TRUE(message.HasRoomFor(large.ByteSizeLong()));
  message.Add(v1::Assignments::kAssignmentsFieldNumber, large);
  EXPECT_FALSE(message.HasRoomFor(1));
  EXPECT_EQ(Parsed(message).assignments().assignments_size(), 1);
}

}  // namespace
}  // namespace jobrunner::rpc
