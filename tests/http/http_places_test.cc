// Where requests do not go: addresses that are not public, other hosts, redirects to either.

#include "absl/strings/str_cat.h"
#include "google/rpc/code.pb.h"
#include "http/http_fixture.h"
#include "http/scripted_names.h"

namespace jobrunner::workers {
namespace {

using test::HttpAnswerText;
using test::LocalRequest;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

class HttpPlaces : public HttpTest {
 protected:
  static void ExpectRefused(const engine::Outcome& outcome, const std::string& why) {
    ASSERT_NE(outcome.failure, nullptr);
    EXPECT_EQ(outcome.failure->reason, v1::REASON_HTTP_FAILED);
    EXPECT_EQ(outcome.failure->code, google::rpc::PERMISSION_DENIED);
    EXPECT_TRUE(outcome.failure->final);
    EXPECT_THAT(outcome.failure->message, HasSubstr(why));
    EXPECT_THAT(outcome.failure->message, Not(HasSubstr("secret")));
  }

  // Everywhere, but only to public addresses.
  void AllowThePublicInternet() {
    config.clear_allow();
    Allow("*", /*allow_private=*/false);
  }

  std::string RedirectTo(const std::string& url, int status = 302) {
    return HttpAnswerText(status, "", absl::StrCat("Location: ", url, "\r\n"));
  }
};

class HttpPrivateAddresses : public HttpPlaces, public testing::WithParamInterface<const char*> {};

TEST_P(HttpPrivateAddresses, AreNotConnectedTo) {
  AllowThePublicInternet();
  resolve = {absl::StrCat("loopback.test:", server_.port(), ":127.0.0.1"),
             absl::StrCat("both.test:", server_.port(), ":10.0.0.1,[::1]"),
             absl::StrCat("mapped.test:", server_.port(), ":[::ffff:127.0.0.1]"),
             absl::StrCat("metadata.test:", server_.port(), ":169.254.169.254")};
  const std::string url = UrlOf(GetParam(), "/secret");
  // The name is allowed: nothing but the address speaks against it.
  EXPECT_TRUE(jobs().CheckUrl(url).ok());
  ExpectRefused(Run(url), "not a public one");
  EXPECT_EQ(server_.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, HttpPrivateAddresses,
                         testing::Values("127.0.0.1", "127.8.9.1", "localhost", "2130706433",
                                         "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "0",
                                         "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
                                         "[0:0:0:0:0:ffff:0a00:0001]", "[64:ff9b::7f00:1]",
                                         "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
                                         "169.254.169.254", "[fe80::1]", "[fd00::1]", "[fec0::1]",
                                         "224.0.0.1", "[ff02::1]", "255.255.255.255",
                                         "[2002:7f00:1::]", "loopback.test", "both.test",
                                         "mapped.test", "metadata.test", "LOOPBACK.test"));

TEST_F(HttpPlaces, APrivateAddressIsConnectedToWhereThatIsAllowed) {
  AllowThePublicInternet();
  Allow("inner.test", /*allow_private=*/true);
  resolve = {absl::StrCat("inner.test:", server_.port(), ":127.0.0.1"),
             absl::StrCat("outer.test:", server_.port(), ":127.0.0.1")};
  answers["/"] = HttpAnswerText(200);
  EXPECT_EQ(Run(UrlOf("inner.test")).failure, nullptr);
  // The connection that is open now is not for others who name the same address.
  ExpectRefused(Run(UrlOf("outer.test")), "not a public one");
  ExpectRefused(Run(UrlOf("127.0.0.1")), "not a public one");
}

// It is not there, which may be tried again; then it is, and private.
TEST_F(HttpPlaces, ANameThatChangesItsAddressIsRefusedWhereItPointsThen) {
  AllowThePublicInternet();
  test::AnswerLookUps("rebinds.test", {"", "127.0.0.1"});
  const engine::Outcome first = Run(UrlOf("rebinds.test"));
  EXPECT_EQ(first.failure->code, google::rpc::UNAVAILABLE);
  EXPECT_FALSE(first.failure->final);
  ExpectRefused(Run(UrlOf("rebinds.test", "/secret")), "not a public one");
  EXPECT_EQ(test::LookUpsLeft(), 0u);
  EXPECT_EQ(server_.connections(), 0);
}

// The configuration may have been another when the batch was accepted.
TEST_F(HttpPlaces, WhatIsNotAllowedIsNotSent) {
  ExpectRefused(Run(UrlOf("localhost", "/secret")), "are not allowed by the configuration");
  EXPECT_EQ(jobs().CheckUrl(UrlOf("localhost")).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(HttpPlaces, ARedirectIsTheAnswerUnlessAllowed) {
  answers["/"] = RedirectTo("/next");
  const engine::Outcome outcome = Run(server_.Url("/"));
  EXPECT_EQ(outcome.failure->reason, v1::REASON_HTTP_STATUS);
  EXPECT_EQ(outcome.http->response.status(), 302);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(HttpPlaces, RedirectsAreFollowedAsFarAsAllowed) {
  config.set_redirects_max(2);
  answers["/1"] = RedirectTo("/2");
  answers["/2"] = RedirectTo(server_.Url("/3?x"));
  answers["/3?x"] = HttpAnswerText(200, "there", "X-Last: 1\r\n");
  answers["/0"] = RedirectTo("/1");
  const engine::Outcome outcome = Run(server_.Url("/1"));
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, "there");
  EXPECT_EQ(outcome.http->response.redirects(), 2);
  EXPECT_EQ(outcome.http->response.headers(0).name(), "X-Last");
  EXPECT_EQ(Run(server_.Url("/0")).http->response.status(), 302);
}

TEST_F(HttpPlaces, ACircleOfRedirectsEnds) {
  config.set_redirects_max(20);
  answers["/"] = RedirectTo("/");
  EXPECT_EQ(Run(server_.Url("/")).failure->reason, v1::REASON_HTTP_STATUS);
  EXPECT_EQ(server_.requests().size(), 21u);
}

TEST_F(HttpPlaces, ARedirectGoesNowhereThatARequestMayNotGo) {
  config.set_redirects_max(5);
  Allow("localhost", /*allow_private=*/false);
  answers["/private"] = RedirectTo(UrlOf("localhost", "/secret"));
  answers["/other"] = RedirectTo("http://other.test/secret");
  answers["/metadata"] = RedirectTo("http://169.254.169.254/secret");
  answers["/port"] = RedirectTo("http://127.0.0.1:1/secret");
  answers["/user"] = RedirectTo(UrlOf("user:secret@127.0.0.1"));
  answers["/file"] = RedirectTo("file:///etc/passwd");
  answers["/gopher"] = RedirectTo("gopher://127.0.0.1/secret");
  ExpectRefused(Run(server_.Url("/private")), "not a public one");
  for (const char* target : {"/other", "/metadata", "/port"}) {
    ExpectRefused(Run(server_.Url(target)), "are not allowed by the configuration");
  }
  for (const char* target : {"/user", "/file", "/gopher"}) {
    const engine::Outcome outcome = Run(server_.Url(target));
    EXPECT_EQ(outcome.failure->code, google::rpc::INVALID_ARGUMENT) << target;
    EXPECT_TRUE(outcome.failure->final) << target;
    EXPECT_THAT(outcome.failure->message, Not(HasSubstr("secret"))) << target;
  }
  EXPECT_EQ(server_.requests().size(), 7u);
}

TEST_F(HttpPlaces, ARedirectKeepsOrChangesTheMethodAsBrowsersDo) {
  config.set_redirects_max(1);
  answers["/next"] = HttpAnswerText(200);
  struct Case {
    int status;
    const char* method;
    const char* then;
  };
  for (const Case& one :
       {Case{301, "POST", "GET"}, Case{302, "POST", "GET"}, Case{303, "POST", "GET"},
        Case{303, "PUT", "GET"}, Case{302, "PUT", "PUT"}, Case{307, "POST", "POST"},
        Case{308, "PUT", "PUT"}, Case{303, "HEAD", "HEAD"}}) {
    answers["/"] = RedirectTo("/next", one.status);
    const std::string body = one.method == std::string("HEAD") ? "" : "body";
    Run(HttpJob(server_.Url("/"), one.method, body));
    const LocalRequest last = server_.requests().back();
    EXPECT_EQ(last.target, "/next") << one.status;
    EXPECT_EQ(last.method, one.then) << one.status;
    const bool keeps_body = last.method == one.method;
    EXPECT_EQ(last.body, keeps_body ? body : "") << one.status;
  }
}

TEST_F(HttpPlaces, ToAnotherOriginGoesNoSecret) {
  config.set_redirects_max(2);
  Allow("localhost");
  answers["/same"] = RedirectTo("/end");
  answers["/other"] = RedirectTo(UrlOf("localhost", "/end"));
  answers["/end"] = HttpAnswerText(200);
  for (const bool same : {true, false}) {
    v1::Job job = HttpJob(server_.Url(same ? "/same" : "/other"));
    auto& headers = *job.mutable_http()->mutable_headers();
    headers["Authorization"] = "secret";
    headers["Cookie"] = "secret";
    headers["X-Api-Key"] = "secret";
    headers["Accept"] = "text/plain";
    Run(job);
    const LocalRequest last = server_.requests().back();
    EXPECT_EQ(last.target, "/end");
    EXPECT_THAT(last.headers, Contains(Pair("accept", "text/plain")));
    EXPECT_THAT(last.headers, Contains(Key("idempotency-key")));
    for (const char* name : {"authorization", "cookie", "x-api-key"}) {
      EXPECT_EQ(last.headers.contains(name), same) << name;
    }
  }
}

TEST_F(HttpPlaces, ANameThatDoesNotResolveMayBeTriedAgain) {
  Allow("*");
  const engine::Outcome outcome = Run(UrlOf("nowhere.invalid", "/secret"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->code, google::rpc::UNAVAILABLE);
  EXPECT_FALSE(outcome.failure->final);
  EXPECT_THAT(outcome.failure->message, Not(HasSubstr("secret")));
}

TEST_F(HttpPlaces, HttpJobsAreOffUnlessEnabled) {
  config.set_enabled(false);
  const auto jobs = LoadCurlHttpJobs(config);
  ASSERT_TRUE(jobs.ok());
  EXPECT_EQ(*jobs, nullptr);
}

}  // namespace
}  // namespace jobrunner::workers
