#include "engine/http_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kBodyBytesMax = 100;

class HttpRules : public ::testing::Test {
 protected:
  HttpRules() { request_.set_url("https://example.com/path?query#fragment"); }

  // The fields that are wrong, each with why.
  std::vector<std::string> Wrong() const {
    Violations violations;
    const FieldPath path("http");
    CheckHttpRequest(path, request_, kBodyBytesMax, &violations);
    std::vector<std::string> wrong;
    for (const Violation& violation : violations.kept()) {
      wrong.push_back(absl::StrCat(violation.field, ": ", violation.description));
    }
    return wrong;
  }
  std::vector<std::string> WrongUrl(const std::string& url) {
    request_.set_url(url);
    return Wrong();
  }
  std::vector<std::string> WrongHeader(const std::string& name, const std::string& value) {
    request_.clear_headers();
    (*request_.mutable_headers())[name] = value;
    return Wrong();
  }

  v1::HttpRequest request_;
};

TEST_F(HttpRules, ARequestThatSetsEverythingIsInOrder) {
  request_.set_method("POST");
  request_.set_body(std::string(kBodyBytesMax, 'x'));
  (*request_.mutable_headers())["Authorization"] = "Bearer\tabc";
  (*request_.mutable_headers())["X-Empty"] = "";
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(HttpRules, OnlyHttpAndHttpsAreUrls) {
  for (const char* url :
       {"http://a", "https://a:1/", "HTTPS://A", "http://[::1]:80/", "http://a?@"}) {
    EXPECT_THAT(WrongUrl(url), IsEmpty()) << url;
  }
  for (const char* url : {"", "a", "//a", "file:///etc/passwd", "gopher://a", "ftp://a",
                          "dict://a:1", "http:a", "http:/a", "://a", "httpx://a"}) {
    EXPECT_THAT(WrongUrl(url), ElementsAre(HasSubstr("http.url: must begin with http://"))) << url;
  }
}

TEST_F(HttpRules, AUrlNamesAHostAndNoUser) {
  EXPECT_THAT(WrongUrl("http:///path"), ElementsAre(HasSubstr("names no host")));
  for (const char* url :
       {"http://user@a", "http://user:password@a/", "http://a@b?c", "http://@a"}) {
    EXPECT_THAT(WrongUrl(url), ElementsAre(HasSubstr("user's name"))) << url;
  }
  // Two readers might find two hosts in it.
  EXPECT_THAT(WrongUrl("http://good\\@evil/"), ElementsAre(HasSubstr("backslashes")));
}

TEST_F(HttpRules, AUrlIsPrintableAndBounded) {
  for (const char* url : {"http://a/ b", "http://a/\r\nHost: b", "http://a/\n", "http://a/\x7f",
                          "http://b\xC3\xBC.example/", "http://a/\t"}) {
    EXPECT_THAT(WrongUrl(url), ElementsAre(HasSubstr("printable ASCII"))) << url;
  }
  const std::string longest = absl::StrCat("http://a/", std::string(kUrlBytesMax - 9, 'x'));
  EXPECT_THAT(WrongUrl(longest), IsEmpty());
  EXPECT_THAT(WrongUrl(longest + "x"), ElementsAre(HasSubstr("http.url: has 8193 bytes")));
}

TEST_F(HttpRules, OnlyKnownMethodsAreMethods) {
  for (const char* method : {"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    request_.set_method(method);
    EXPECT_THAT(Wrong(), IsEmpty()) << method;
  }
  for (const char* method : {"get", "CONNECT", "TRACE", "GET / HTTP/1.1\r\n", "GET "}) {
    request_.set_method(method);
    EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("http.method: must be GET"))) << method;
  }
}

TEST_F(HttpRules, ABodyIsBoundedAndNotForEveryMethod) {
  request_.set_body(std::string(kBodyBytesMax + 1, 'x'));
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("http.body: has 101 bytes")));
  request_.set_body("x");
  EXPECT_THAT(Wrong(), IsEmpty());
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
    request_.set_method(method);
    EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("http.body: must be empty"))) << method;
  }
}

TEST_F(HttpRules, NoHeaderEndsBeforeItsEnd) {
  for (const char* value : {"a\r\nX: b", "a\n", "a\rb", "\x01", "\x7f"}) {
    EXPECT_THAT(WrongHeader("X", value), ElementsAre(HasSubstr("control characters"))) << value;
  }
  EXPECT_THAT(WrongHeader("X", std::string("a\0b", 3)),
              ElementsAre(HasSubstr("control characters")));
  for (const char* name : {"", "a b", "a:", "a\r\n", "a\xC3\xBC", "(a)"}) {
    EXPECT_THAT(WrongHeader(name, "x"), ElementsAre(HasSubstr("not a header's name"))) << name;
  }
}

TEST_F(HttpRules, WhatTheServerSetsIsNotForClients) {
  for (const char* name :
       {"Host", "content-length", "Transfer-Encoding", "CONNECTION", "Upgrade", "Expect", "TE",
        "Proxy-Authorization", "Jobrunner-Attempt", "Webhook-Id"}) {
    EXPECT_THAT(WrongHeader(name, "x"), ElementsAre(HasSubstr("the server's to set"))) << name;
  }
}

TEST_F(HttpRules, HeadersAreBoundedAndDiffer) {
  (*request_.mutable_headers())["A"] = "";
  (*request_.mutable_headers())["a"] = "";
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("is there twice")));
  request_.clear_headers();
  for (int i = 0; i < kHttpHeadersMax; ++i) {
    (*request_.mutable_headers())[absl::StrCat("x", i)] = "";
  }
  EXPECT_THAT(Wrong(), IsEmpty());
  (*request_.mutable_headers())["one-more"] = "";
  EXPECT_THAT(Wrong(), ElementsAre(HasSubstr("has 101 headers, at most 100")));
  EXPECT_THAT(WrongHeader("x", std::string(kHttpHeaderBytesMax - 1, 'x')), IsEmpty());
  EXPECT_THAT(WrongHeader("x", std::string(kHttpHeaderBytesMax, 'x')),
              ElementsAre(HasSubstr("has 32769 bytes in all")));
}

}  // namespace
}  // namespace jobrunner::engine
