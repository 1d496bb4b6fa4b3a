#include "rpc/assignment_table.h"

#include <gtest/gtest.h>

#include <string>

namespace jobrunner::rpc {
namespace {

constexpr char kBatch[] = "0193f2a1-7c00-7abc-8def-0123456789ab";

engine::AttemptToken Token(uint64_t number, uint32_t epoch = 1) {
  return {.epoch = epoch, .slot = static_cast<uint32_t>(number), .number = number};
}

AssignmentId Id(uint64_t number, uint32_t epoch = 1) {
  return AssignmentId(kBatch, static_cast<int32_t>(number), Token(number, epoch));
}

class AssignmentTableTest : public testing::Test {
 protected:
  void Assign(uint64_t number, int64_t after_check = 0) {
    table_.Add({.id = Id(number),
                .token = Token(number),
                .since = base::SteadyTime(),
                .after_check = after_check});
  }
  bool Has(uint64_t number) { return table_.Of(Token(number)) != nullptr; }

  AssignmentTable table_;
};

TEST_F(AssignmentTableTest, FindsAnAttemptByIdAndByToken) {
  Assign(7);
  Assign(8);
  EXPECT_EQ(table_.Named(Id(7).text())->token, Token(7));
  EXPECT_EQ(table_.Of(Token(8))->id.text(), Id(8).text());
}

TEST_F(AssignmentTableTest, AnIdIsTheWholeText) {
  Assign(7);
  std::string of_another_job(Id(7).text());
  of_another_job.replace(37, 1, "9");
  EXPECT_EQ(table_.Named(of_another_job), nullptr);
  std::string of_another_batch(Id(7).text());
  of_another_batch[0] = 'f';
  EXPECT_EQ(table_.Named(of_another_batch), nullptr);
  EXPECT_EQ(table_.Named(""), nullptr);
  EXPECT_EQ(table_.Named("nothing"), nullptr);
}

TEST_F(AssignmentTableTest, WhatWasTakenUpKeepsItsIdAndHasANewToken) {
  table_.Add({.id = Id(7, /*epoch=*/1), .token = Token(90, /*epoch=*/2), .since = {}});
  EXPECT_EQ(table_.Named(Id(7).text())->token, Token(90, 2));
  EXPECT_EQ(table_.Of(Token(90, 2))->id.text(), Id(7).text());
  // The old token is nobody's.
  EXPECT_EQ(table_.Of(Token(7)), nullptr);
  table_.Remove(Token(90, 2));
  EXPECT_EQ(table_.Named(Id(7).text()), nullptr);
  EXPECT_EQ(table_.Of(Token(90, 2)), nullptr);
}

TEST_F(AssignmentTableTest, ForgetsWhatIsRemoved) {
  Assign(7);
  table_.Remove(Token(7));
  table_.Remove(Token(7));
  EXPECT_FALSE(Has(7));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(AssignmentTableTest, LetsGoOfWhatAnAnswerShouldHaveNamed) {
  Assign(1);
  Assign(2);
  Assign(3);
  Assign(4, /*after_check=*/5);
  table_.Named(Id(1).text())->answered = 5;
  table_.Named(Id(3).text())->reported = true;
  table_.RemoveUnanswered(5);
  EXPECT_TRUE(Has(1)) << "it was named";
  EXPECT_FALSE(Has(2));
  EXPECT_TRUE(Has(3)) << "its outcome is on its way";
  EXPECT_TRUE(Has(4)) << "it was sent after the check";
}

}  // namespace
}  // namespace jobrunner::rpc
