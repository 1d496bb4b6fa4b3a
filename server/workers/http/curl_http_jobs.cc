#include "workers/http/curl_http_jobs.h"

#include <thread>
#include <utility>

#include "base/status_macros.h"
#include "workers/http/http_loop.h"

namespace jobrunner::workers {
namespace {

class Attempts final : public HttpAttempts {
 public:
  explicit Attempts(std::unique_ptr<HttpLoop> loop)
      : loop_(std::move(loop)), thread_([this] { loop_->Run(); }) {}
  ~Attempts() override {
    loop_->End();
    thread_.join();
  }

  void Start(std::vector<NumberedAssignment> work) override { loop_->Start(std::move(work)); }
  void Stop(const std::vector<engine::StopOrder>& orders) override { loop_->Stop(orders); }

 private:
  const std::unique_ptr<HttpLoop> loop_;
  std::thread thread_;
};

class Jobs final : public HttpJobs {
 public:
  Jobs(HttpPolicy policy, CurlList resolve)
      : policy_(std::move(policy)), resolve_(std::move(resolve)) {}

  absl::Status CheckUrl(const std::string& url) const override {
    return policy_.Check(url).status();
  }

  std::vector<std::string> Hosts() const override { return policy_.Hosts(); }

  absl::StatusOr<std::unique_ptr<HttpAttempts>> Begin(engine::AttemptSink* sink) const override {
    ASSIGN_OR_RETURN(Poller poller, Poller::Create());
    return std::make_unique<Attempts>(
        std::make_unique<HttpLoop>(std::move(poller), &policy_, resolve_.get(), sink));
  }

 private:
  const HttpPolicy policy_;
  const CurlList resolve_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpJobs>> LoadCurlHttpJobs(
    const config::v1::Http& config, const std::vector<std::string>& resolve) {
  if (!config.enabled()) return nullptr;
  // Once in the life of the process, and never undone.
  [[maybe_unused]] static const CURLcode kInitialized = curl_global_init(CURL_GLOBAL_ALL);
  ASSIGN_OR_RETURN(HttpPolicy policy, HttpPolicy::Load(config));
  CurlList entries;
  for (const std::string& entry : resolve) {
    curl_slist* const longer = curl_slist_append(entries.get(), entry.c_str());
    if (entries == nullptr) entries.reset(longer);
  }
  return std::make_unique<Jobs>(std::move(policy), std::move(entries));
}

}  // namespace jobrunner::workers
