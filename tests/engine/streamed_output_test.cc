#include "engine/streamed_output.h"

#include <string>

#include "engine/limits.h"
#include "gtest/gtest.h"

namespace jobrunner::engine {
namespace {

OutputChunk Chunk(int64_t output_bytes, int64_t error_output_bytes = 0) {
  return {AttemptToken(), std::string(output_bytes, 'o'), std::string(error_output_bytes, 'e'),
          false};
}

TEST(StreamedOutput, IsWholeUpToItsMaximum) {
  StreamedOutput streamed;
  OutputChunk first = Chunk(kOutputBytesMax - 1, kOutputBytesMax);
  OutputChunk second = Chunk(1);
  EXPECT_TRUE(streamed.Admit(&first));
  EXPECT_TRUE(streamed.Admit(&second));
  EXPECT_EQ(first.output.size(), kOutputBytesMax - 1);
  EXPECT_EQ(second.output.size(), 1);
  EXPECT_FALSE(first.truncated || second.truncated);
}

TEST(StreamedOutput, IsCutBeyondItAndNothingFollows) {
  StreamedOutput streamed;
  OutputChunk first = Chunk(kOutputBytesMax - 2, 1);
  OutputChunk second = Chunk(3, 5);
  OutputChunk third = Chunk(0, 1);
  EXPECT_TRUE(streamed.Admit(&first));
  EXPECT_TRUE(streamed.Admit(&second));
  EXPECT_EQ(second.output.size(), 2);
  EXPECT_EQ(second.error_output.size(), 5);
  EXPECT_TRUE(second.truncated);
  EXPECT_FALSE(streamed.Admit(&third));
}

TEST(StreamedOutput, OfErrorsIsCutAlike) {
  StreamedOutput streamed;
  OutputChunk chunk = Chunk(1, kOutputBytesMax + 1);
  EXPECT_TRUE(streamed.Admit(&chunk));
  EXPECT_EQ(chunk.error_output.size(), kOutputBytesMax);
  EXPECT_TRUE(chunk.truncated);
}

TEST(StreamedOutput, OfNothingIsNotShown) {
  StreamedOutput streamed;
  OutputChunk nothing = Chunk(0);
  EXPECT_FALSE(streamed.Admit(&nothing));
}

}  // namespace
}  // namespace jobrunner::engine
