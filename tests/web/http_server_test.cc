#include "web/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "web/peer.h"

namespace jobrunner::web {
namespace {

using test::Get;
using test::Peer;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    options_.address = *base::ParseListenAddress("127.0.0.1:0");
    options_.pages["/hello"] = [] { return HttpAnswer{.body = "hello\n"}; };
  }

  void Start() {
    auto server = HttpServer::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    address_ = server_->address();
  }

  HttpOptions options_;
  std::unique_ptr<HttpServer> server_;
  std::string address_;
};

TEST_F(HttpServerTest, APageIsAnsweredWithItsBody) {
  Start();
  EXPECT_THAT(Get(address_, "/hello"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("text/plain; charset=utf-8"),
                    EndsWith("\r\n\r\nhello\n")));
}

TEST_F(HttpServerTest, TheBoundPortIsTold) {
  Start();
  EXPECT_THAT(address_, StartsWith("127.0.0.1:"));
  EXPECT_NE(address_, "127.0.0.1:0");
}

TEST_F(HttpServerTest, APageMayAnswerWithAnotherStatus) {
  options_.pages["/healthz"] = [] { return HttpAnswer{.status = 503, .body = "draining\n"}; };
  Start();
  EXPECT_THAT(Get(address_, "/healthz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, AnUnknownPathIsNotFound) {
  Start();
  EXPECT_THAT(Get(address_, "/hello/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get(address_, "/../etc/passwd"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get(address_, "/" + std::string(8000, 'a')), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServerTest, AQueryDoesNotChangeThePage) {
  Start();
  EXPECT_THAT(Get(address_, "/hello?a=b"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  Peer peer(address_);
  peer.Send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.Receive(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, OtherMethodsAreNotAllowed) {
  Start();
  Peer peer(address_);
  peer.Send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(peer.Receive(), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
}

TEST_F(HttpServerTest, WhatIsNotHttpHarmsNobody) {
  Start();
  for (const char* bytes : {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\r\n", "GET / HTTP/9.9\r\n\r\n",
                            "GET /hello HTTP/1.1\r\nno colon\r\n\r\n"}) {
    Peer peer(address_);
    peer.Send(bytes);
    peer.Receive();
  }
  EXPECT_THAT(Get(address_, "/hello"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ARequestThatNeverEndsIsCutOff) {
  Start();
  Peer peer(address_);
  peer.Send("GET /hello HTTP/1.1\r\n");
  for (int i = 0; i < 100; ++i) peer.Send("X-Header: " + std::string(4000, 'x') + "\r\n");
  EXPECT_THAT(peer.Receive(), testing::Not(StartsWith("HTTP/1.1 200 ")));
}

TEST_F(HttpServerTest, APeerThatDoesNotFinishItsRequestIsClosedAtItsDeadline) {
  options_.timeout = std::chrono::milliseconds(50);
  Start();
  Peer peer(address_);
  peer.Send("GET /hel");
  EXPECT_THAT(peer.Receive(), testing::Not(HasSubstr("200")));
}

TEST_F(HttpServerTest, PeersThatAreSlowHoldNobodyUp) {
  options_.threads = 2;
  options_.timeout = std::chrono::minutes(10);
  Start();
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Peer>(address_));
    slow.back()->Send("GET /hello HTT");
  }
  EXPECT_THAT(Get(address_, "/hello"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, APeerThatReadsNothingHoldsNobodyUp) {
  options_.threads = 1;
  options_.timeout = std::chrono::minutes(10);
  options_.pages["/large"] = [] { return HttpAnswer{.body = std::string(64 << 20, 'x')}; };
  Start();
  Peer slow(address_);
  slow.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(Get(address_, "/hello"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, StopFinishesTheAnswerThatIsUnderWay) {
  absl::Notification asked;
  absl::Notification go_on;
  options_.pages["/wait"] = [&] {
    asked.Notify();
    go_on.WaitForNotification();
    return HttpAnswer{.body = "at last\n"};
  };
  Start();
  Peer peer(address_);
  peer.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  asked.WaitForNotification();
  std::thread stopper([&] { server_->Stop(); });
  // Closed for others as soon as Stop has begun.
  while (Peer(address_).connected()) std::this_thread::yield();
  go_on.Notify();
  EXPECT_THAT(peer.Receive(), EndsWith("at last\n"));
  stopper.join();
}

TEST_F(HttpServerTest, StopDoesNotWaitForRequestsThatAreNotComplete) {
  options_.timeout = std::chrono::minutes(10);
  Start();
  Peer peer(address_);
  peer.Send("GET /hel");
  server_->Stop();
  server_->Stop();
  EXPECT_EQ(peer.Receive(), "");
}

TEST_F(HttpServerTest, AnAddressThatIsTakenIsAnError) {
  Start();
  options_.address = *base::ParseListenAddress(address_);
  EXPECT_THAT(HttpServer::Start(options_).status().message(),
              HasSubstr("cannot listen on " + address_));
}

TEST_F(HttpServerTest, ManyMayAskAtOnce) {
  Start();
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        answered += Get(address_, "/hello").starts_with("HTTP/1.1 200 ");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 200);
}

}  // namespace
}  // namespace jobrunner::web
