#include "workers/http/http_transfer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "workers/http/http_failure.h"
#include "workers/http/public_address.h"

namespace jobrunner::workers {
namespace {

using std::chrono::milliseconds;

base::SteadyTime Now() { return std::chrono::steady_clock::now(); }

std::string MethodOf(const v1::HttpRequest& request) {
  if (!request.method().empty()) return request.method();
  return request.body().empty() ? "GET" : "POST";
}

// Which a server may take for a mistake where there is no body, unless it says so: RFC 9110, 8.6.
bool ExpectsBody(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

template <class Value>
Value InfoOf(CURL* easy, CURLINFO info) {
  Value value{};
  curl_easy_getinfo(easy, info, &value);
  return value;
}

}  // namespace

HttpTransfer::HttpTransfer(NumberedAssignment work, const HttpPolicy* policy)
    : assignment_(std::move(work.assignment)),
      worker_(work.worker),
      policy_(*policy),
      start_(Now()),
      answer_(policy->response_bytes_max()) {
  const v1::HttpRequest& request = assignment_.job().http();
  hop_.method = MethodOf(request);
  hop_.has_body = !request.body().empty();
  SetUrl(request.url());
  if (target_.ok()) origin_ = target_->url;
}

void HttpTransfer::SetUrl(std::string url) {
  target_ = policy_.Check(url);
  hop_.url = std::move(url);
}

std::string HttpTransfer::NameToResolve() const {
  return target_.ok() && !target_->url.host_is_address() ? target_->url.host : "";
}

std::optional<engine::Failure> HttpTransfer::Prepare(CurlEasy easy) {
  if (!target_.ok()) return NotAllowed(target_.status());
  hop_.is_at_origin = target_->url == origin_;
  is_resolving_ = !target_->url.host_is_address();
  times_sent_ = 0;
  sockets_opened_ = 0;
  sockets_refused_ = 0;
  is_redirected_ = false;
  message_[0] = '\0';
  easy_ = std::move(easy);
  headers_ = BuildHeaders(assignment_, hop_, policy_.signer(), std::chrono::system_clock::now());
  SetOptions();
  SetMethod();
  return std::nullopt;
}

void HttpTransfer::Configure(CURL* easy, const HttpPolicy& policy, curl_slist* resolve) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  // No proxy, not even from the environment.
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  if (!policy.ca_file().empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, policy.ca_file().c_str());
    // The system's own, otherwise trusted beside it.
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  // Redirects are followed here, where each is checked as a request of its own.
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A stop must not wait for a resolver that hangs.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(policy.connect_timeout().count()));
  if (resolve != nullptr) curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, OnSocket);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, OnRequest);
}

void HttpTransfer::SetOptions() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message_);
  curl_easy_setopt(easy, CURLOPT_URL, hop_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(TimeLeft().count()));
}

void HttpTransfer::SetMethod() {
  CURL* const easy = easy_.get();
  // What the request before had.
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  if (hop_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (hop_.has_body || ExpectsBody(hop_.method)) {
    const std::string& body = assignment_.job().http().body();
    const size_t size = hop_.has_body ? body.size() : 0;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, hop_.method.c_str());
}

// At least 1 ms: 0 is no bound.
milliseconds HttpTransfer::TimeLeft() const {
  const auto spent = std::chrono::duration_cast<milliseconds>(Now() - start_);
  return std::max(policy_.timeout() - spent, milliseconds(1));
}

size_t HttpTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.answer_.AddHeaderLine({data, size * count})) return size * count;
  transfer.head_too_long_ = true;
  return 0;
}

size_t HttpTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  return transfer.answer_.AddToBody({data, size * count}) ? size * count : 0;
}

// The one place where an address is connected to, whoever named it: what a name resolved to a
// moment ago, and what it will the next time, are of no matter.
curl_socket_t HttpTransfer::OnSocket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.is_resolving_ = false;
  if (!transfer.target_->may_be_private && !IsPublicAddress(address->addr)) {
    ++transfer.sockets_refused_;
    errno = EACCES;
    return CURL_SOCKET_BAD;
  }
  ++transfer.sockets_opened_;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A connection that was open already takes the request: nothing is resolved for it.
int HttpTransfer::OnRequest(void* self, char* /*peer*/, char* /*own*/, int /*peer_port*/,
                            int /*own_port*/) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.is_resolving_ = false;
  ++transfer.times_sent_;
  return CURL_PREREQFUNC_OK;
}

CurlEasy HttpTransfer::Finish(CURLcode result) {
  is_resolving_ = false;
  result_ = result;
  status_ = 0;
  retry_after_ = std::chrono::seconds(0);
  curl_easy_setopt(easy(), CURLOPT_ERRORBUFFER, nullptr);
  // The handle still says what came of the request before.
  if (times_sent_ == 0) return std::move(easy_);
  status_ = static_cast<int>(InfoOf<long>(easy(), CURLINFO_RESPONSE_CODE));
  retry_after_ = std::chrono::seconds(InfoOf<curl_off_t>(easy(), CURLINFO_RETRY_AFTER));
  const char* const url = InfoOf<char*>(easy(), CURLINFO_REDIRECT_URL);
  if (url != nullptr && IsRedirect(status_) && redirects_ < policy_.redirects_max()) {
    FollowRedirect(url, status_);
  }
  return std::move(easy_);
}

// As RFC 9110, section 15.4, has browsers do it.
void HttpTransfer::FollowRedirect(const char* url, int status) {
  is_redirected_ = true;
  ++redirects_;
  SetUrl(url);
  const bool was_post = hop_.method == "POST";
  const bool becomes_get =
      (status == 303 && hop_.method != "HEAD") || ((status == 301 || status == 302) && was_post);
  if (!becomes_get) return;
  hop_.method = "GET";
  hop_.has_body = false;
}

std::optional<engine::Failure> HttpTransfer::FailureOf() const {
  // What is beyond the cap was not read. Of a head that ends too early libcurl says nothing.
  const bool is_read =
      result_ == CURLE_OK || (result_ == CURLE_WRITE_ERROR && answer_.body_truncated());
  const bool is_whole = is_read && answer_.head_is_whole();
  if (is_whole && status_ >= 200 && status_ < 300) return std::nullopt;
  if (is_whole && status_ != 0) return StatusFailure(status_, retry_after_);
  if (result_ == CURLE_OK) return TransferFailure("the answer ended within its head");
  if (head_too_long_) return TransferFailure("the head of the answer is too long");
  if (sockets_refused_ > 0 && sockets_opened_ == 0) {
    return NotAllowed(absl::PermissionDeniedError(
        "its address is not a public one, and the configuration does not allow that"));
  }
  const std::string message = message_[0] == '\0' ? curl_easy_strerror(result_) : message_;
  switch (result_) {
    case CURLE_OPERATION_TIMEDOUT:
      return TimeoutFailure(message);
    case CURLE_URL_MALFORMAT:
      return NotAllowed(absl::InvalidArgumentError(message));
    default:
      return TransferFailure(message);
  }
}

engine::Outcome HttpTransfer::Begun() {
  engine::Outcome outcome;
  outcome.token = assignment_.token;
  outcome.worker = worker_;
  outcome.run_time = Now() - start_;
  outcome.output = answer_.TakeBody();
  if (status_ < 200) return outcome;
  outcome.http = std::make_unique<engine::HttpOutcome>();
  outcome.http->output_truncated = answer_.body_truncated();
  outcome.http->response = answer_.TakeHeaders();
  outcome.http->response.set_status(status_);
  outcome.http->response.set_redirects(redirects_);
  return outcome;
}

engine::Outcome HttpTransfer::Ended() {
  engine::Outcome outcome = Begun();
  if (auto failure = FailureOf()) {
    outcome.failure = std::make_unique<engine::Failure>(*std::move(failure));
  }
  return outcome;
}

engine::Outcome HttpTransfer::EndedWith(engine::Failure failure) {
  engine::Outcome outcome = Begun();
  outcome.failure = std::make_unique<engine::Failure>(std::move(failure));
  return outcome;
}

}  // namespace jobrunner::workers
