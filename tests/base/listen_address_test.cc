#include "base/listen_address.h"

#include <gtest/gtest.h>

namespace jobrunner::base {
namespace {

TEST(ListenAddressTest, AHostAndAPortAreToldApart) {
  const auto address = ParseListenAddress("127.0.0.1:7420");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 7420);
  EXPECT_FALSE(address->is_unix());
}

TEST(ListenAddressTest, AnIpv6AddressStandsInBrackets) {
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "::1");
  EXPECT_FALSE(ParseListenAddress("::1:0").ok());
  EXPECT_FALSE(ParseListenAddress("[::g]:0").ok());
}

TEST(ListenAddressTest, AUnixSocketHasAPathThatFits) {
  EXPECT_EQ(ParseListenAddress("unix:/a/b")->unix_path, "/a/b");
  EXPECT_TRUE(ParseListenAddress("unix:" + std::string(107, 'x')).ok());
  EXPECT_FALSE(ParseListenAddress("unix:" + std::string(108, 'x')).ok());
  EXPECT_FALSE(ParseListenAddress("unix:").ok());
}

TEST(ListenAddressTest, WhatIsNeitherIsRefused) {
  for (const char* text :
       {"", "7420", ":7420", "host:", "host:x", "host:65536", "host:-1", "a b:1"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
}

TEST(ListenAddressTest, LoopbackAndUnixSocketsAreLocal) {
  for (const char* text : {"127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/a"}) {
    EXPECT_TRUE(ParseListenAddress(text)->is_local()) << text;
  }
  EXPECT_FALSE(ParseListenAddress("0.0.0.0:1")->is_local());
  EXPECT_FALSE(ParseListenAddress("[::]:1")->is_local());
}

}  // namespace
}  // namespace jobrunner::base
