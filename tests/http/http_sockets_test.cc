#include "workers/http/http_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "http/local_http_server.h"
#include "workers/http/curl_handles.h"

namespace jobrunner::workers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

int Opened(void* opened, curl_socket_t fd, curlsocktype /*purpose*/) {
  static_cast<std::vector<uint64_t>*>(opened)->push_back(static_cast<uint64_t>(fd));
  return CURL_SOCKOPT_OK;
}

size_t Drop(char* /*data*/, size_t size, size_t count, void* /*to*/) { return size * count; }

// The loop of HttpLoop, without all that is not sockets.
class HttpSocketsTest : public testing::Test {
 protected:
  HttpSocketsTest() { sockets_.ServeMulti(multi_.get()); }

  // The status of a request's answer; 0 when the poller does not say what libcurl waits for. No
  // timer of libcurl's helps out.
  long Request() {
    const CurlEasy easy(curl_easy_init());
    sockets_.ServeEasy(easy.get());
    curl_easy_setopt(easy.get(), CURLOPT_URL, server_.Url("/").c_str());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, Drop);
    curl_easy_setopt(easy.get(), CURLOPT_SOCKOPTFUNCTION, Opened);
    curl_easy_setopt(easy.get(), CURLOPT_SOCKOPTDATA, &opened_);
    curl_multi_add_handle(multi_.get(), easy.get());
    int running = 0;
    curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    while (running > 0) {
      const std::vector<uint64_t> ready = ReadyWithin(seconds(10));
      if (ready.empty()) break;
      for (const uint64_t tag : ready) {
        const auto fd = static_cast<curl_socket_t>(tag);
        curl_multi_socket_action(multi_.get(), fd, sockets_.Readiness(fd), &running);
      }
    }
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_.get(), easy.get());
    return status;
  }

  std::vector<uint64_t> ReadyWithin(milliseconds time) {
    std::vector<uint64_t> ready;
    poller_.Wait(std::chrono::steady_clock::now() + time, &ready);
    return ready;
  }

  std::string answer_ = test::HttpAnswerText(200, "x");
  test::LocalHttpServer server_{[this](const test::LocalRequest&) { return answer_; }};
  // By their numbers.
  std::vector<uint64_t> opened_;
  Poller poller_ = *Poller::Create();
  HttpSockets sockets_{&poller_};
  CurlMulti multi_{curl_multi_init()};
};

TEST_F(HttpSocketsTest, TheAnswersOfOneConnectionAreAllSeen) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Request(), 200);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpSocketsTest, TheEndOfAnIdleConnectionIsReportedOnce) {
  // The server does so then, without saying so in the head.
  answer_ = test::HttpAnswerText(200, "Connection: close");
  EXPECT_EQ(Request(), 200);
  const std::vector<uint64_t> ready = ReadyWithin(seconds(10));
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(sockets_.Readiness(static_cast<curl_socket_t>(ready[0])), 0);
  EXPECT_THAT(ReadyWithin(milliseconds(0)), IsEmpty());
  EXPECT_EQ(Request(), 200);
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpSocketsTest, ASocketWithTheNumberOfAClosedOneIsSeen) {
  answer_ = test::HttpAnswerText(200, "x", "Connection: close\r\n");
  EXPECT_EQ(Request(), 200);
  server_.AwaitNoConnection();
  answer_ = test::HttpAnswerText(200, "Connection: close");
  EXPECT_EQ(Request(), 200);
  ASSERT_THAT(opened_, SizeIs(2));
  ASSERT_EQ(opened_[0], opened_[1]);
  EXPECT_THAT(ReadyWithin(seconds(10)), ElementsAre(opened_[1]));
}

}  // namespace
}  // namespace jobrunner::workers
