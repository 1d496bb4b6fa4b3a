// What is sent, and what comes of the answer.

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/limits.h"
#include "google/rpc/code.pb.h"
#include "http/http_fixture.h"
#include "workers/http/webhook_signature.h"

namespace jobrunner::workers {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using test::HttpAnswerText;
using test::LocalRequest;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

class HttpRequests : public HttpTest {
 protected:
  LocalRequest SentOnce(const v1::Job& job) {
    const size_t before = server_.requests().size();
    Run(job);
    const std::vector<LocalRequest> requests = server_.requests();
    EXPECT_EQ(requests.size(), before + 1);
    return requests.back();
  }
};

TEST_F(HttpRequests, AnAnswerIsTheOutput) {
  answers["/a?b=c"] = HttpAnswerText(201, "made", "X-One: 1\r\nX-Two:  2 \r\n");
  const engine::Outcome outcome = Run(server_.Url("/a?b=c"));
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, "made");
  EXPECT_EQ(outcome.worker, 1);
  EXPECT_GT(outcome.run_time.count(), 0);
  ASSERT_NE(outcome.http, nullptr);
  EXPECT_FALSE(outcome.http->output_truncated);
  const v1::HttpResponse& response = outcome.http->response;
  EXPECT_EQ(response.status(), 201);
  EXPECT_EQ(response.redirects(), 0);
  EXPECT_FALSE(response.headers_truncated());
  ASSERT_EQ(response.headers_size(), 3);
  EXPECT_EQ(response.headers(1).name(), "X-Two");
  EXPECT_EQ(response.headers(1).value(), "2");
}

TEST_F(HttpRequests, ARequestHasWhatTheJobSays) {
  v1::Job job = HttpJob(server_.Url("/a?b=c"), "PATCH", std::string("x\0y", 3));
  (*job.mutable_http()->mutable_headers())["Authorization"] = "Bearer 1";
  (*job.mutable_http()->mutable_headers())["X-Empty"] = "";
  (*job.mutable_http()->mutable_headers())["content-type"] = "text/x";
  const LocalRequest request = SentOnce(job);
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.body, std::string("x\0y", 3));
  EXPECT_THAT(request.headers, Contains(Pair("authorization", "Bearer 1")));
  EXPECT_THAT(request.headers, Contains(Pair("x-empty", "")));
  EXPECT_THAT(request.headers, Contains(Pair("content-type", "text/x")));
  EXPECT_THAT(request.headers, Contains(Pair("host", absl::StrCat("127.0.0.1:", server_.port()))));
}

TEST_F(HttpRequests, MethodsAndBodiesAreAsTheJobHasThem) {
  EXPECT_EQ(SentOnce(HttpJob(server_.Url("/"))).method, "GET");
  const LocalRequest posted = SentOnce(HttpJob(server_.Url("/"), "", "x"));
  EXPECT_EQ(posted.method, "POST");
  EXPECT_THAT(posted.headers, Contains(Pair("content-type", "application/octet-stream")));
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    const LocalRequest request = SentOnce(HttpJob(server_.Url("/"), method));
    EXPECT_EQ(request.method, method);
    EXPECT_THAT(request.headers, Not(Contains(Pair("content-type", testing::_)))) << method;
    EXPECT_EQ(request.body, "");
  }
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    const LocalRequest request = SentOnce(HttpJob(server_.Url("/"), method));
    EXPECT_EQ(request.method, method);
    EXPECT_THAT(request.headers, Contains(Pair("content-length", "0"))) << method;
  }
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    const LocalRequest request = SentOnce(HttpJob(server_.Url("/"), method, "x"));
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.body, "x");
  }
}

TEST_F(HttpRequests, ALargeBodyIsSentWithoutAsking) {
  const std::string body(engine::kPayloadBytesMax, 'x');
  const LocalRequest request = SentOnce(HttpJob(server_.Url("/"), "PUT", body));
  EXPECT_EQ(request.body, body);
  EXPECT_THAT(request.headers, Not(Contains(Key("expect"))));
}

TEST_F(HttpRequests, ARequestSaysOfWhichAttemptItIs) {
  std::vector<engine::Assignment> assignments =
      Assign({HttpJob(server_.Url("/")), HttpJob(server_.Url("/"))});
  assignments.erase(assignments.begin());
  assignments[0].attempt = 3;
  assignments[0].wall_deadline = base::WallTime(milliseconds(1'700'000'000'250));
  Start(std::move(assignments));
  const LocalRequest request = server_.AwaitRequests(1)[0];
  EXPECT_THAT(request.headers, Contains(Pair("jobrunner-batch-id", kBatchId)));
  EXPECT_THAT(request.headers, Contains(Pair("jobrunner-job-index", "1")));
  EXPECT_THAT(request.headers, Contains(Pair("jobrunner-attempt", "3")));
  EXPECT_THAT(request.headers, Contains(Pair("jobrunner-deadline", "2023-11-14T22:13:20.250Z")));
  EXPECT_THAT(request.headers, Contains(Pair("idempotency-key", absl::StrCat(kBatchId, "/1"))));
  EXPECT_THAT(request.headers, Contains(Pair("user-agent", testing::StartsWith("jobrunner/"))));
  EXPECT_THAT(request.headers, Not(Contains(Key("webhook-signature"))));
}

TEST_F(HttpRequests, WithoutADeadlineThereIsNoHeaderOfIt) {
  EXPECT_THAT(SentOnce(HttpJob(server_.Url("/"))).headers,
              Not(Contains(Key("jobrunner-deadline"))));
}

TEST_F(HttpRequests, TheJobsOwnIdempotencyKeyGoesBeforeTheServers) {
  v1::Job job = HttpJob(server_.Url("/"));
  (*job.mutable_http()->mutable_headers())["idempotency-KEY"] = "mine";
  EXPECT_THAT(SentOnce(job).headers, Contains(Pair("idempotency-key", "mine")));
}

TEST_F(HttpRequests, ASignedRequestCanBeVerified) {
  config.set_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  v1::Job job = HttpJob(server_.Url("/"), "POST", "payload");
  // It does not change who is said to have sent it.
  (*job.mutable_http()->mutable_headers())["Idempotency-Key"] = "mine";
  const int64_t before = absl::ToUnixSeconds(absl::Now());
  const LocalRequest request = SentOnce(job);
  const std::string id = absl::StrCat(kBatchId, "/0");
  EXPECT_EQ(request.headers.at("webhook-id"), id);
  const int64_t timestamp = std::stoll(request.headers.at("webhook-timestamp"));
  EXPECT_GE(timestamp, before);
  EXPECT_LE(timestamp, absl::ToUnixSeconds(absl::Now()));
  const auto signer = WebhookSigner::FromSecret(config.signing_secret());
  EXPECT_EQ(request.headers.at("webhook-signature"), signer->Sign(id, timestamp, "payload"));
}

struct StatusCase {
  int status;
  int code;
  bool is_final;
};

class HttpStatuses : public HttpRequests, public testing::WithParamInterface<StatusCase> {};

TEST_P(HttpStatuses, SaysWhetherToTryAgain) {
  const StatusCase& expected = GetParam();
  answers["/?secret"] =
      HttpAnswerText(expected.status, "why", "Retry-After: 7\r\nLocation: /elsewhere\r\n");
  const engine::Outcome outcome = Run(server_.Url("/?secret"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->reason, v1::REASON_HTTP_STATUS);
  EXPECT_EQ(outcome.failure->code, expected.code);
  EXPECT_EQ(outcome.failure->final, expected.is_final);
  EXPECT_EQ(outcome.failure->retry_after, seconds(7));
  EXPECT_THAT(outcome.failure->message, HasSubstr(absl::StrCat(expected.status)));
  EXPECT_THAT(outcome.failure->message, Not(HasSubstr("secret")));
  EXPECT_EQ(outcome.output, "why");
  EXPECT_EQ(outcome.http->response.status(), expected.status);
}

INSTANTIATE_TEST_SUITE_P(All, HttpStatuses,
                         testing::Values(StatusCase{302, google::rpc::FAILED_PRECONDITION, true},
                                         StatusCase{400, google::rpc::INVALID_ARGUMENT, true},
                                         StatusCase{401, google::rpc::UNAUTHENTICATED, true},
                                         StatusCase{403, google::rpc::PERMISSION_DENIED, true},
                                         StatusCase{404, google::rpc::NOT_FOUND, true},
                                         StatusCase{408, google::rpc::DEADLINE_EXCEEDED, true},
                                         StatusCase{409, google::rpc::ABORTED, true},
                                         StatusCase{418, google::rpc::FAILED_PRECONDITION, true},
                                         StatusCase{429, google::rpc::RESOURCE_EXHAUSTED, false},
                                         StatusCase{500, google::rpc::INTERNAL, false},
                                         StatusCase{501, google::rpc::UNIMPLEMENTED, false},
                                         StatusCase{502, google::rpc::UNAVAILABLE, false},
                                         StatusCase{503, google::rpc::UNAVAILABLE, false},
                                         StatusCase{504, google::rpc::DEADLINE_EXCEEDED, false},
                                         StatusCase{599, google::rpc::INTERNAL, false}));

TEST_F(HttpRequests, RetryAfterMayBeADate) {
  const auto after = [](absl::Time time) {
    return HttpAnswerText(
        503, "",
        absl::StrCat("Retry-After: ",
                     absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone()),
                     "\r\n"));
  };
  answers["/soon"] = after(absl::Now() + absl::Hours(1));
  answers["/past"] = after(absl::Now() - absl::Hours(1));
  answers["/late"] = after(absl::Now() + absl::Hours(1000));
  answers["/junk"] = HttpAnswerText(503, "", "Retry-After: soon\r\n");
  const nanoseconds soon = Run(server_.Url("/soon")).failure->retry_after;
  EXPECT_GT(soon, hours(1) - seconds(60));
  EXPECT_LE(soon, hours(1));
  EXPECT_EQ(Run(server_.Url("/past")).failure->retry_after, nanoseconds(0));
  EXPECT_EQ(Run(server_.Url("/late")).failure->retry_after, engine::kRetryAfterMax);
  EXPECT_EQ(Run(server_.Url("/junk")).failure->retry_after, nanoseconds(0));
}

TEST_F(HttpRequests, WithoutAWholeAnswerItMayBeTriedAgain) {
  answers["/cut"] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf";
  answers["/junk"] = "SSH-2.0-OpenSSH Connection: close\r\n\r\n";
  answers["/head"] = "HTTP/1.1 200 OK\r\nX: Connection: close";
  for (const char* target : {"/cut", "/junk", "/head"}) {
    const engine::Outcome outcome = Run(server_.Url(target));
    ASSERT_NE(outcome.failure, nullptr) << target;
    EXPECT_EQ(outcome.failure->reason, v1::REASON_HTTP_FAILED) << target;
    EXPECT_EQ(outcome.failure->code, google::rpc::UNAVAILABLE) << target;
    EXPECT_FALSE(outcome.failure->final) << target;
    EXPECT_NE(outcome.failure->message, "") << target;
  }
}

TEST_F(HttpRequests, WithoutAConnectionItMayBeTriedAgain) {
  const int port = test::LocalHttpServer([](const LocalRequest&) { return ""; }).port();
  config.mutable_allow(0)->set_port(port);
  const engine::Outcome outcome = Run(absl::StrCat("http://127.0.0.1:", port, "/?secret"));
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->code, google::rpc::UNAVAILABLE);
  EXPECT_FALSE(outcome.failure->final);
  EXPECT_THAT(outcome.failure->message, Not(HasSubstr("secret")));
  EXPECT_EQ(outcome.http, nullptr);
}

TEST_F(HttpRequests, AServerThatDoesNotAnswerIsNotWaitedForForEver) {
  answers["/silent"] = "";
  answers["/slow"] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow";
  config.mutable_timeout()->set_nanos(100'000'000);
  for (const char* target : {"/silent", "/slow"}) {
    const engine::Outcome outcome = Run(server_.Url(target));
    ASSERT_NE(outcome.failure, nullptr);
    EXPECT_EQ(outcome.failure->reason, v1::REASON_HTTP_FAILED);
    EXPECT_EQ(outcome.failure->code, google::rpc::DEADLINE_EXCEEDED);
    EXPECT_FALSE(outcome.failure->final);
    EXPECT_GE(outcome.run_time, milliseconds(100));
  }
}

TEST_F(HttpRequests, ABodyIsReadUpToItsCap) {
  config.set_response_bytes_max(1000);
  answers["/fits"] = HttpAnswerText(200, std::string(1000, 'x'));
  answers["/one-more"] = HttpAnswerText(200, std::string(1001, 'x'));
  answers["/endless"] = absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
                                     std::string(1 << 20, 'x'));
  answers["/error"] = HttpAnswerText(500, std::string(5000, 'x'));
  EXPECT_FALSE(Run(server_.Url("/fits")).http->output_truncated);
  for (const char* target : {"/one-more", "/endless", "/error"}) {
    const engine::Outcome outcome = Run(server_.Url(target));
    EXPECT_EQ(outcome.failure != nullptr, std::string(target) == "/error");
    EXPECT_TRUE(outcome.http->output_truncated) << target;
    EXPECT_EQ(outcome.output.size(), 1000u) << target;
  }
}

TEST_F(HttpRequests, HeadersAreKeptUpToTheirCapAndReadUpToAnother) {
  const std::string line = absl::StrCat("X: ", std::string(1000, '\xFF'), "\r\n");
  std::string many, endless;
  for (int i = 0; i < 100; ++i) many += line;
  for (int i = 0; i < 300; ++i) endless += line;
  answers["/many"] = HttpAnswerText(200, "body", many);
  answers["/endless"] = HttpAnswerText(200, "body", endless);
  const engine::Outcome outcome = Run(server_.Url("/many"));
  EXPECT_EQ(outcome.failure, nullptr);
  EXPECT_EQ(outcome.output, "body");
  EXPECT_TRUE(outcome.http->response.headers_truncated());
  EXPECT_EQ(outcome.http->response.headers_size(), 16);
  EXPECT_LE(outcome.http->response.ByteSizeLong(), 4 * engine::kHttpHeaderBytesKept);
  // As a message it has to be valid UTF-8.
  EXPECT_TRUE(v1::HttpResponse().ParseFromString(outcome.http->response.SerializeAsString()));
  EXPECT_FALSE(Run(server_.Url("/endless")).failure->final);
}

TEST_F(HttpRequests, AStopEndsItAtOnceWhateverTheGrace) {
  answers["/silent"] = "";
  const engine::AttemptToken token = Start(HttpJob(server_.Url("/silent")));
  server_.AwaitRequests(1);
  Stop({.epoch = 9, .number = token.number}, nanoseconds(0));
  Stop(token, hours(1));
  const engine::Outcome outcome = sink_.TakeOutcome();
  EXPECT_EQ(outcome.token, token);
  ASSERT_NE(outcome.failure, nullptr);
  EXPECT_EQ(outcome.failure->code, google::rpc::CANCELLED);
  server_.AwaitNoConnection();
  Stop(token, nanoseconds(0));
  EXPECT_EQ(sink_.outcome_count(), 0);
}

TEST_F(HttpRequests, WhatStillRunsEndsWithTheExecutor) {
  answers["/silent"] = "";
  Start(HttpJob(server_.Url("/silent")));
  server_.AwaitRequests(1);
  attempts_.reset();
  EXPECT_EQ(sink_.outcome_count(), 1);
  server_.AwaitNoConnection();
}

TEST_F(HttpRequests, AConnectionIsUsedAgain) {
  answers["/"] = HttpAnswerText(200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Run(server_.Url("/")).failure, nullptr);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpRequests, AnAnswerWithoutABodyIsOfItsOwnRequestAlone) {
  answers["/"] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(Run(HttpJob(server_.Url("/"), "HEAD")).output, "");
  answers["/"] = HttpAnswerText(200, "body");
  EXPECT_EQ(Run(server_.Url("/")).output, "body");
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpRequests, AConnectionThatHangsUpIsReplacedHoweverOften) {
  test::LocalHttpServer server([](const LocalRequest& request) {
    return request.number_on_connection == 1 ? HttpAnswerText(200)
                                             : std::string(test::LocalHttpServer::kHangUp);
  });
  Allow("127.0.0.1").set_port(server.port());
  constexpr int kCount = 20;
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(Run(server.Url("/")).failure, nullptr) << i;
  EXPECT_EQ(server.connections(), kCount);
}

TEST_F(HttpRequests, AProxyOfTheEnvironmentIsNotUsed) {
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  answers["/"] = HttpAnswerText(200);
  EXPECT_EQ(Run(server_.Url("/")).failure, nullptr);
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
}

void AllowDescriptors(rlim_t count) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(count, limit.rlim_max));
  ASSERT_GE(limit.rlim_cur, count) << "the hard limit of descriptors is too low for this test";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

ptrdiff_t ThreadCount() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST_F(HttpRequests, FiveThousandAreInFlightInOneThread) {
  constexpr int kCount = 5000;
  // Each has two here.
  ASSERT_NO_FATAL_FAILURE(AllowDescriptors(2 * kCount + 100));
  answers["/"] = "";
  attempts();
  const ptrdiff_t threads = ThreadCount();
  Start(Assign(std::vector<v1::Job>(kCount, HttpJob(server_.Url("/")))));
  server_.AwaitRequests(kCount);
  EXPECT_EQ(server_.connections(), kCount);
  EXPECT_EQ(ThreadCount(), threads);
  EXPECT_EQ(sink_.outcome_count(), 0);
  server_.AnswerAll(HttpAnswerText(200, "done"));
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(kCount)) {
    ASSERT_EQ(outcome.failure, nullptr);
    ASSERT_EQ(outcome.output, "done");
  }
}

TEST_F(HttpRequests, ManyAreInFlightAtOnce) {
  constexpr int kCount = 1000;
  answers["/"] = "";
  // Half of them by a name.
  Allow("localhost");
  std::vector<v1::Job> jobs(kCount / 2, HttpJob(server_.Url("/")));
  jobs.resize(kCount, HttpJob(UrlOf("localhost")));
  Start(Assign(jobs));
  server_.AwaitRequests(kCount);
  EXPECT_EQ(sink_.outcome_count(), 0);
  server_.AnswerAll(HttpAnswerText(200, "done"));
  for (const engine::Outcome& outcome : sink_.TakeOutcomes(kCount)) {
    EXPECT_EQ(outcome.failure, nullptr);
    EXPECT_EQ(outcome.output, "done");
  }
}

}  // namespace
}  // namespace jobrunner::workers
