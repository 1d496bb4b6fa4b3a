#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/attempt.h"
#include "workers/http/curl_handles.h"
#include "workers/http/http_answer.h"
#include "workers/http/http_headers.h"
#include "workers/http/http_policy.h"
#include "workers/numbered_assignment.h"

namespace jobrunner::workers {

// One attempt at a request: what libcurl is told, what it says while it works, and the turning of
// that into an outcome. It is used by one thread, and must not be moved while curl has its handle.
class HttpTransfer {
 public:
  // Sets the options that all requests have in common. `resolve` (CURLOPT_RESOLVE; may be null)
  // outlives the handle.
  static void Configure(CURL* easy, const HttpPolicy& policy, curl_slist* resolve);

  // The policy outlives it.
  HttpTransfer(NumberedAssignment work, const HttpPolicy* policy);

  engine::AttemptToken token() const { return assignment_.token; }
  CURL* easy() const { return easy_.get(); }

  // Empty when there is no name to be resolved for the next request.
  std::string NameToResolve() const;
  // It has not been, since Prepare.
  bool is_resolving() const { return is_resolving_; }

  // Makes `easy`, which is configured, do the next request, whatever it did before. Or says why
  // that will not be sent; then `easy` is dropped.
  std::optional<engine::Failure> Prepare(CurlEasy easy);

  // The request is done. Gives the handle back; what it says has been read.
  CurlEasy Finish(CURLcode result);

  // Since Prepare: more than once where the connection turned out to have been closed.
  int times_sent() const { return times_sent_; }

  // After Finish: the answer is a redirect that is to be followed, with another Prepare.
  bool is_redirected() const { return is_redirected_; }

  // Of the last request.
  engine::Outcome Ended();
  engine::Outcome EndedWith(engine::Failure failure);

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static curl_socket_t OnSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnRequest(void* self, char* peer, char* own, int peer_port, int own_port);

  void SetOptions();
  void SetMethod();
  void SetUrl(std::string url);
  void FollowRedirect(const char* url, int status);
  engine::Outcome Begun();
  std::optional<engine::Failure> FailureOf() const;
  std::chrono::milliseconds TimeLeft() const;

  const engine::Assignment assignment_;
  const int32_t worker_;
  const HttpPolicy& policy_;
  const base::SteadyTime start_;

  HttpHop hop_;
  // Where hop_'s URL leads, or why it is not asked.
  absl::StatusOr<HttpPolicy::Target> target_;
  HttpUrl origin_;
  HttpAnswer answer_;
  int redirects_ = 0;

  // Of the request at hand.
  CurlEasy easy_;
  CurlList headers_;
  char message_[CURL_ERROR_SIZE] = {};
  bool is_resolving_ = false;
  int times_sent_ = 0;
  int sockets_opened_ = 0;
  int sockets_refused_ = 0;
  bool head_too_long_ = false;
  // Of what it came to.
  CURLcode result_ = CURLE_OK;
  int status_ = 0;
  std::chrono::seconds retry_after_{0};
  bool is_redirected_ = false;
};

}  // namespace jobrunner::workers
