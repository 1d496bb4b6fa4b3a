#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "http/local_http_server.h"
#include "workers/assignments.h"
#include "workers/http/curl_http_jobs.h"
#include "workers/recording_sink.h"

namespace jobrunner::workers {

v1::Job HttpJob(const std::string& url, const std::string& method = "",
                const std::string& body = "");

// The executor of HTTP jobs before a real server on loopback, which answers what the test says.
class HttpTest : public testing::Test {
 protected:
  HttpTest();

  // Given: before the first request. The server is reached by its address, which is allowed and
  // private unless a test takes that out.
  config::v1::Http config;
  // Entries of CURLOPT_RESOLVE.
  std::vector<std::string> resolve;
  // What the server answers to all, or by target; without one here, 404.
  std::map<std::string, std::string> answers;

  // "http://NAME:PORT/" of the server's port.
  std::string UrlOf(const std::string& name, const std::string& target = "/") const;
  config::v1::AllowedHost& Allow(const std::string& host, bool allow_private = true);

  // When.
  void Start(std::vector<engine::Assignment> assignments);
  engine::AttemptToken Start(const v1::Job& job);
  // Waits for its outcome.
  engine::Outcome Run(const v1::Job& job);
  engine::Outcome Run(const std::string& url) { return Run(HttpJob(url)); }
  void Stop(engine::AttemptToken token, std::chrono::nanoseconds grace);

  HttpJobs& jobs();
  HttpAttempts& attempts();

  RecordingSink sink_;
  test::LocalHttpServer server_;
  std::unique_ptr<HttpJobs> jobs_;
  std::unique_ptr<HttpAttempts> attempts_;
};

}  // namespace jobrunner::workers
