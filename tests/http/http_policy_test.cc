#include "workers/http/http_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace jobrunner::workers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class HttpPolicyTest : public ::testing::Test {
 protected:
  void Allow(const std::string& host, int port = 0, bool allow_private = false) {
    config::v1::AllowedHost& allowed = *config_.add_allow();
    allowed.set_host(host);
    allowed.set_port(port);
    allowed.set_allow_private(allow_private);
  }

  absl::StatusOr<HttpPolicy::Target> Check(const std::string& url) const {
    return HttpPolicy::Load(config_).value().Check(url);
  }
  bool Allows(const std::string& url) const { return Check(url).ok(); }
  std::string LoadError() const {
    return std::string(HttpPolicy::Load(config_).status().message());
  }

  config::v1::Http config_;
};

TEST_F(HttpPolicyTest, WithoutAHostNothingIsAllowed) {
  const absl::Status status = Check("http://example.com/a?secret").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("example.com:80"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

TEST_F(HttpPolicyTest, AHostIsAllowedAtItsPortAlone) {
  Allow("example.com");
  EXPECT_TRUE(Allows("http://example.com/"));
  EXPECT_TRUE(Allows("https://EXAMPLE.com"));
  EXPECT_TRUE(Allows("https://example.com:443/x?y"));
  EXPECT_FALSE(Allows("http://example.com:443/"));
  EXPECT_FALSE(Allows("http://example.com:8080/"));
  Allow("example.com", 8080);
  EXPECT_TRUE(Allows("http://example.com:8080/"));
}

TEST_F(HttpPolicyTest, OtherHostsAreNotAllowed) {
  Allow("example.com");
  for (const char* url : {"http://www.example.com/", "http://example.com.evil/",
                          "http://example.co", "http://notexample.com", "http://evil/?example.com",
                          "http://evil#example.com", "http://example.com./"}) {
    EXPECT_FALSE(Allows(url)) << url;
  }
}

TEST_F(HttpPolicyTest, AStarStandsForAllNamesBelow) {
  Allow("*.example.com");
  EXPECT_TRUE(Allows("http://a.example.com"));
  EXPECT_TRUE(Allows("http://a.b.Example.com"));
  EXPECT_FALSE(Allows("http://example.com"));
  EXPECT_FALSE(Allows("http://aexample.com"));
  Allow("*", 81);
  EXPECT_TRUE(Allows("http://anything:81"));
  EXPECT_FALSE(Allows("http://anything"));
}

TEST_F(HttpPolicyTest, AnAddressIsTheSameHoweverItIsWritten) {
  Allow("127.0.0.1");
  for (const char* url : {"http://127.0.0.1", "http://2130706433", "http://0x7f000001",
                          "http://0177.0.0.1", "http://127.1"}) {
    ASSERT_TRUE(Check(url).ok()) << url;
    EXPECT_EQ(Check(url)->url.host, "127.0.0.1") << url;
    EXPECT_TRUE(Check(url)->url.host_is_address());
  }
  Allow("[2001:DB8:0::1]");
  EXPECT_TRUE(Allows("http://[2001:db8::1]/"));
  EXPECT_TRUE(Check("http://[2001:db8::1]/")->url.host_is_address());
}

TEST_F(HttpPolicyTest, PrivateAddressesAreForTheHostsThatSaySo) {
  Allow("*");
  Allow("inner", 0, /*allow_private=*/true);
  EXPECT_FALSE(Check("http://outer")->may_be_private);
  EXPECT_TRUE(Check("http://inner")->may_be_private);
}

TEST_F(HttpPolicyTest, TellsWhatIsAllowed) {
  EXPECT_THAT(HttpPolicy::Load(config_)->Hosts(), IsEmpty());
  Allow("A.example");
  Allow("*.b", 8080);
  Allow("*");
  EXPECT_THAT(HttpPolicy::Load(config_)->Hosts(), ElementsAre("a.example", "*.b:8080", "*"));
}

TEST_F(HttpPolicyTest, AFileOfAuthoritiesHasACertificateOrIsAnError) {
  config_.set_ca_file("/nowhere/ca");
  EXPECT_THAT(LoadError(), HasSubstr("http.ca_file: \"/nowhere/ca\" cannot be read"));
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/ca";
  std::ofstream(path) << kSecret << "\n";
  config_.set_ca_file(path);
  EXPECT_THAT(LoadError(), HasSubstr("has no certificate in PEM"));
}

TEST_F(HttpPolicyTest, WhatIsNoUrlOfHttpIsRefused) {
  Allow("*");
  for (const char* url : {"ftp://a", "file:///etc/passwd", "http://user@a", "http://", "http://a b",
                          "http://a:99999"}) {
    EXPECT_EQ(Check(url).status().code(), absl::StatusCode::kInvalidArgument) << url;
  }
}

TEST_F(HttpPolicyTest, HostsOfAnotherKindAreRefusedWhenLoaded) {
  for (const char* host : {"", "http://a", "a/b", "a:80", "a b", "user@a", "*.", "*a"}) {
    config_.clear_allow();
    Allow("first");
    Allow(host);
    EXPECT_THAT(LoadError(), HasSubstr("http.allow[1]: host: ")) << host;
  }
  config_.clear_allow();
  Allow("a", 65536);
  EXPECT_THAT(LoadError(), HasSubstr("http.allow[0]: port: "));
}

TEST_F(HttpPolicyTest, TheSecretMayBeInAFile) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/secret";
  std::ofstream(path) << kSecret << "\n";
  config_.set_signing_secret_file(path);
  const auto from_file = HttpPolicy::Load(config_);
  ASSERT_TRUE(from_file.ok()) << from_file.status();
  ASSERT_NE(from_file->signer(), nullptr);
  config_.set_signing_secret(kSecret);
  EXPECT_THAT(LoadError(), HasSubstr("http.signing_secret_file: signing_secret is set too"));
  config_.clear_signing_secret_file();
  const auto from_field = HttpPolicy::Load(config_);
  ASSERT_TRUE(from_field.ok());
  EXPECT_EQ(from_file->signer()->Sign("a", 1, "b"), from_field->signer()->Sign("a", 1, "b"));
}

TEST_F(HttpPolicyTest, ASecretThatCannotBeHadIsAnError) {
  EXPECT_EQ(HttpPolicy::Load(config_)->signer(), nullptr);
  config_.set_signing_secret_file("/nowhere/secret");
  EXPECT_THAT(LoadError(), HasSubstr("http.signing_secret_file: \"/nowhere/secret\""));
  config_.clear_signing_secret_file();
  config_.set_signing_secret("hunter2");
  EXPECT_THAT(LoadError(), HasSubstr("http.signing_secret: must be whsec_"));
}

}  // namespace
}  // namespace jobrunner::workers
