#include "base/status_macros.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/status/statusor.h"

namespace jobrunner::base {
namespace {

absl::Status PassOn(const absl::Status& status, bool* reached_end) {
  RETURN_IF_ERROR(status);
  *reached_end = true;
  return absl::OkStatus();
}

absl::StatusOr<int> Doubled(const absl::StatusOr<int>& number) {
  ASSIGN_OR_RETURN(const int value, number);
  return 2 * value;
}

absl::StatusOr<int> Unwrapped(absl::StatusOr<std::unique_ptr<int>> pointer) {
  std::unique_ptr<int> owned;
  ASSIGN_OR_RETURN(owned, std::move(pointer));
  return *owned;
}

TEST(ReturnIfError, GoesOnAfterOk) {
  bool reached_end = false;
  EXPECT_TRUE(PassOn(absl::OkStatus(), &reached_end).ok());
  EXPECT_TRUE(reached_end);
}

TEST(ReturnIfError, ReturnsTheError) {
  bool reached_end = false;
  EXPECT_EQ(PassOn(absl::NotFoundError("gone"), &reached_end), absl::NotFoundError("gone"));
  EXPECT_FALSE(reached_end);
}

TEST(AssignOrReturn, DeclaresAVariable) { EXPECT_EQ(*Doubled(21), 42); }

TEST(AssignOrReturn, MovesTheValueOut) { EXPECT_EQ(*Unwrapped(std::make_unique<int>(5)), 5); }

TEST(AssignOrReturn, ReturnsTheError) {
  EXPECT_EQ(Doubled(absl::InternalError("broken")).status(), absl::InternalError("broken"));
}

}  // namespace
}  // namespace jobrunner::base
