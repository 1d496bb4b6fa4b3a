#include "http/http_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace jobrunner::workers {

v1::Job HttpJob(const std::string& url, const std::string& method, const std::string& body) {
  v1::Job job;
  job.mutable_http()->set_url(url);
  job.mutable_http()->set_method(method);
  job.mutable_http()->set_body(body);
  return job;
}

HttpTest::HttpTest()
    : server_([this](const test::LocalRequest& request) {
        const auto found = answers.find(request.target);
        return found == answers.end() ? test::HttpAnswerText(404) : found->second;
      }) {
  config.set_enabled(true);
  Allow("127.0.0.1");
}

std::string HttpTest::UrlOf(const std::string& name, const std::string& target) const {
  return absl::StrCat("http://", name, ":", server_.port(), target);
}

config::v1::AllowedHost& HttpTest::Allow(const std::string& host, bool allow_private) {
  config::v1::AllowedHost& allowed = *config.add_allow();
  allowed.set_host(host);
  allowed.set_port(server_.port());
  allowed.set_allow_private(allow_private);
  return allowed;
}

HttpJobs& HttpTest::jobs() {
  if (jobs_ == nullptr) jobs_ = LoadCurlHttpJobs(config, resolve).value();
  return *jobs_;
}

HttpAttempts& HttpTest::attempts() {
  if (attempts_ == nullptr) attempts_ = jobs().Begin(&sink_).value();
  return *attempts_;
}

void HttpTest::Start(std::vector<engine::Assignment> assignments) {
  std::vector<NumberedAssignment> work;
  for (engine::Assignment& assignment : assignments) {
    work.push_back({.assignment = std::move(assignment), .worker = 1});
  }
  attempts().Start(std::move(work));
}

engine::AttemptToken HttpTest::Start(const v1::Job& job) {
  engine::Assignment assignment = Assign(job);
  const engine::AttemptToken token = assignment.token;
  std::vector<engine::Assignment> assignments;
  assignments.push_back(std::move(assignment));
  Start(std::move(assignments));
  return token;
}

engine::Outcome HttpTest::Run(const v1::Job& job) {
  Start(job);
  return sink_.TakeOutcome();
}

void HttpTest::Stop(engine::AttemptToken token, std::chrono::nanoseconds grace) {
  attempts().Stop({{.token = token, .grace = grace}});
}

}  // namespace jobrunner::workers
