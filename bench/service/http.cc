#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/samples.h"

namespace jobrunner::bench {
namespace {

constexpr int kRequests = 10'000;
constexpr int kInFlight = 256;
constexpr int kRounds = 3;

size_t Drop(char* /*data*/, size_t size, size_t count, void* /*to*/) { return size * count; }

// The loop of libcurl's own examples, with handles that are used again.
double BareLoop(const std::string& url) {
  CURLM* const multi = curl_multi_init();
  const auto start = std::chrono::steady_clock::now();
  int begun = 0;
  int ended = 0;
  for (; begun < kInFlight; ++begun) {
    CURL* const easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Drop);
    curl_multi_add_handle(multi, easy);
  }
  while (ended < kRequests) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      CURL* const easy = message->easy_handle;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200) std::abort();
      ++ended;
      curl_multi_remove_handle(multi, easy);
      if (begun++ < kRequests) {
        curl_multi_add_handle(multi, easy);
      } else {
        curl_easy_cleanup(easy);
      }
    }
    if (ended < kRequests) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  const double rate = kRequests / SecondsSince(start);
  curl_multi_cleanup(multi);
  return rate;
}

double ThroughServer(const std::string& address) {
  const std::string port = address.substr(address.find(':') + 1);
  const auto server = StartServer(
      R"({"workers": {"max": )" + std::to_string(kInFlight) + R"(}, "http": {"enabled": true,)" +
      R"("allow": [{"host": "127.0.0.1", "allow_private": true, "port": )" + port + "}]}}");
  const auto stub = v1::JobService::NewStub(Connect(server->address()));
  v1::RunBatchRequest request;
  for (int i = 0; i < kRequests; ++i) {
    request.mutable_batch()->add_jobs()->mutable_http()->set_url("http://" + address + "/");
  }
  const auto start = std::chrono::steady_clock::now();
  RunToEnd(*stub, request);
  return kRequests / SecondsSince(start);
}

}  // namespace

void BenchHttp() {
  std::printf("HTTP: %d requests to a server that answers at once, %d in flight\n", kRequests,
              kInFlight);
  curl_global_init(CURL_GLOBAL_ALL);
  const Child answerer({ProgramFolder() + "/http_answerer"});
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    const double bare = BareLoop("http://" + answerer.address() + "/");
    const double server = ThroughServer(answerer.address());
    std::printf("  bare libcurl-multi loop %6.0f/s   jobrunner %6.0f/s\n", bare, server);
    ratios.push_back(server / bare);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("  ratio, median of %d rounds: %.2f (at least 0.60)\n\n", kRounds,
              ratios[kRounds / 2]);
}

}  // namespace jobrunner::bench
