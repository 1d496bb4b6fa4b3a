#include "workers/http/http_loop.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "workers/http/http_failure.h"

namespace jobrunner::workers {

using base::SteadyTime;

namespace {

// Open at once, used or not; beyond it the oldest that nobody uses is closed, which takes a look at
// each.
constexpr long kConnectionsMax = 8192;
// Connections that nobody used for so long are closed.
constexpr std::chrono::seconds kIdleTime{30};
constexpr size_t kHandlesKeptMax = 512;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

HttpLoop::HttpLoop(Poller poller, const HttpPolicy* policy, curl_slist* resolve,
                   engine::AttemptSink* sink)
    : policy_(*policy),
      resolve_(resolve),
      sink_(*sink),
      poller_(std::move(poller)),
      sockets_(&poller_) {}

HttpLoop::~HttpLoop() = default;

void HttpLoop::Start(std::vector<NumberedAssignment> work) {
  // Here, since the loop's thread has the most to do.
  std::vector<std::unique_ptr<HttpTransfer>> transfers;
  for (NumberedAssignment& one : work) {
    transfers.push_back(std::make_unique<HttpTransfer>(std::move(one), &policy_));
  }
  mail_.Put([&](std::vector<std::unique_ptr<HttpTransfer>>* attempts) {
    std::move(transfers.begin(), transfers.end(), std::back_inserter(*attempts));
    poller_.Wake();
  });
}

void HttpLoop::Run() {
  base::ThreadRoleScope scope(&thread_);
  OpenMulti();
  std::vector<uint64_t> ready;
  while (true) {
    poller_.Wait(NextTime(), &ready);
    Mail::Contents mail = mail_.Take();
    const bool end = mail.end;
    Step(std::move(mail), ready);
    if (end) break;
  }
  EndAll();
}

void HttpLoop::OpenMulti() {
  multi_.reset(curl_multi_init());
  sockets_.ServeMulti(multi_.get());
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kConnectionsMax);
}

int HttpLoop::OnTimer(CURLM* /*multi*/, long milliseconds, void* self) {
  auto& loop = *static_cast<HttpLoop*>(self);
  loop.thread_.AssertHeld();
  if (milliseconds < 0) {
    loop.curl_time_ = SteadyTime::max();
  } else if (milliseconds == 0) {
    // For each request once; the clock need not be asked.
    loop.curl_time_ = SteadyTime::min();
  } else {
    loop.curl_time_ = Now() + std::chrono::milliseconds(milliseconds);
  }
  return 0;
}

SteadyTime HttpLoop::NextTime() const { return std::min(curl_time_, close_time_); }

void HttpLoop::Step(Mail::Contents mail, const std::vector<uint64_t>& ready) {
  for (auto& transfer : mail.attempts) Accept(std::move(transfer));
  for (const engine::StopOrder& order : mail.orders) Obey(order);
  Transfer(ready);
  TakeDone();
  BeginQueued();
  CloseIdleConnections();
  Report();
}

void HttpLoop::EndAll() {
  std::vector<uint64_t> ids;
  for (const auto& [id, transfer] : transfers_) ids.push_back(id);
  for (const uint64_t id : ids) {
    HttpTransfer& transfer = *transfers_[id];
    Detach(transfer, CURLE_ABORTED_BY_CALLBACK);
    Settle(id, transfer.EndedWith(StoppedRequest()));
  }
  Report();
  handles_.clear();
  multi_.reset();
}

void HttpLoop::Accept(std::unique_ptr<HttpTransfer> transfer) {
  const uint64_t id = transfer->token().number;
  Queue(id, *transfer);
  transfers_[id] = std::move(transfer);
  close_time_ = SteadyTime::max();
}

void HttpLoop::Queue(uint64_t id, const HttpTransfer& transfer) {
  const std::string name = transfer.NameToResolve();
  if (name.empty()) {
    queued_.push_back(id);
  } else {
    names_.Add(name, id);
  }
}

void HttpLoop::BeginQueued() {
  for (const uint64_t id : std::exchange(queued_, {})) Begin(id);
  if (names_.empty()) return;
  const auto is_resolving = [this](uint64_t id) {
    thread_.AssertHeld();
    const auto found = transfers_.find(id);
    return found != transfers_.end() && found->second->is_resolving();
  };
  // More than once: what was stopped while it waited leaves its place to others.
  for (auto ids = names_.Turn(is_resolving); !ids.empty(); ids = names_.Turn(is_resolving)) {
    for (const uint64_t id : ids) Begin(id);
  }
}

void HttpLoop::Begin(uint64_t id) {
  const auto found = transfers_.find(id);
  // It was stopped while it waited.
  if (found == transfers_.end()) return;
  HttpTransfer& transfer = *found->second;
  if (auto failure = transfer.Prepare(TakeHandle())) {
    return Settle(id, transfer.EndedWith(*std::move(failure)));
  }
  curl_multi_add_handle(multi_.get(), transfer.easy());
}

CurlEasy HttpLoop::TakeHandle() {
  if (!handles_.empty()) {
    CurlEasy easy = std::move(handles_.back());
    handles_.pop_back();
    return easy;
  }
  CurlEasy easy(curl_easy_init());
  HttpTransfer::Configure(easy.get(), policy_, resolve_);
  sockets_.ServeEasy(easy.get());
  return easy;
}

void HttpLoop::Obey(const engine::StopOrder& order) {
  const uint64_t id = order.token.number;
  const auto found = transfers_.find(id);
  if (found == transfers_.end() || !(found->second->token() == order.token)) return;
  HttpTransfer& transfer = *found->second;
  Detach(transfer, CURLE_ABORTED_BY_CALLBACK);
  Settle(id, transfer.EndedWith(StoppedRequest()));
}

void HttpLoop::Transfer(const std::vector<uint64_t>& ready) {
  int running = 0;
  for (const uint64_t tag : ready) {
    const auto fd = static_cast<curl_socket_t>(tag);
    curl_multi_socket_action(multi_.get(), fd, sockets_.Readiness(fd), &running);
  }
  if (curl_time_ > Now()) return;
  curl_time_ = SteadyTime::max();
  curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void HttpLoop::TakeDone() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* transfer_pointer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer_pointer);
    auto& transfer = *reinterpret_cast<HttpTransfer*>(transfer_pointer);
    const uint64_t id = transfer.token().number;
    Detach(transfer, message->data.result);
    if (transfer.is_redirected()) {
      Queue(id, transfer);
    } else {
      Settle(id, transfer.Ended());
    }
  }
}

void HttpLoop::Detach(HttpTransfer& transfer, CURLcode result) {
  if (transfer.easy() == nullptr) return;
  curl_multi_remove_handle(multi_.get(), transfer.easy());
  CurlEasy easy = transfer.Finish(result);
  // A handle counts how often connections turned out to be closed, whichever requests they were
  // for, and gives up at the sixth.
  const bool is_as_new = transfer.times_sent() <= 1;
  if (is_as_new && handles_.size() < kHandlesKeptMax) handles_.push_back(std::move(easy));
}

void HttpLoop::Settle(uint64_t id, engine::Outcome outcome) {
  outcomes_.push_back(std::move(outcome));
  transfers_.erase(id);
  if (transfers_.empty()) close_time_ = Now() + kIdleTime;
}

void HttpLoop::Report() {
  if (!outcomes_.empty()) sink_.Finished(std::exchange(outcomes_, {}));
}

// libcurl itself looks at them only when it opens another.
void HttpLoop::CloseIdleConnections() {
  if (close_time_ > Now()) return;
  close_time_ = SteadyTime::max();
  curl_time_ = SteadyTime::max();
  // Their names are resolved for the multi that they were used with.
  handles_.clear();
  OpenMulti();
}

}  // namespace jobrunner::workers
