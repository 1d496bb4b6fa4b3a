#include "workers/output_capture.h"

#include <string>

#include "gtest/gtest.h"

namespace jobrunner::workers {
namespace {

struct Kept {
  std::string text;
  int64_t bytes;
  int64_t omitted;
};

Kept Keep(int64_t bytes_max, const std::vector<std::string>& pieces) {
  OutputCapture capture(bytes_max);
  for (const std::string& piece : pieces) capture.Append(piece);
  const int64_t omitted = capture.omitted();
  const int64_t bytes = capture.bytes();
  return {.text = capture.Take(), .bytes = bytes, .omitted = omitted};
}

TEST(OutputCaptureTest, WhatFitsIsKeptWhole) {
  const Kept kept = Keep(10, {"0123", "456789"});
  EXPECT_EQ(kept.text, "0123456789");
  EXPECT_EQ(kept.omitted, 0);
}

TEST(OutputCaptureTest, OneByteMoreDropsOneFromTheMiddle) {
  const Kept kept = Keep(10, {"0123456789", "a"});
  EXPECT_EQ(kept.text, "012346789a");
  EXPECT_EQ(kept.bytes, 11);
  EXPECT_EQ(kept.omitted, 1);
}

TEST(OutputCaptureTest, TheHalvesAreTheFirstAndTheLastHoweverItIsCut) {
  std::string all;
  for (int i = 0; i < 1000; ++i) all += static_cast<char>('a' + i % 26);
  for (const size_t size : {1, 2, 3, 5, 7, 11, 100, 999, 1000}) {
    std::vector<std::string> pieces;
    for (size_t at = 0; at < all.size(); at += size) pieces.push_back(all.substr(at, size));
    const Kept kept = Keep(21, pieces);
    EXPECT_EQ(kept.text, all.substr(0, 10) + all.substr(all.size() - 11)) << size;
    EXPECT_EQ(kept.omitted, 1000 - 21);
  }
}

TEST(OutputCaptureTest, ACapOfZeroKeepsNothing) {
  const Kept kept = Keep(0, {"abc", "d"});
  EXPECT_EQ(kept.text, "");
  EXPECT_EQ(kept.omitted, 4);
}

TEST(OutputCaptureTest, ACapOfOneKeepsTheLast) { EXPECT_EQ(Keep(1, {"abc", "d"}).text, "d"); }

}  // namespace
}  // namespace jobrunner::workers
