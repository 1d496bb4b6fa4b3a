#include "workers/http/http_sockets.h"

#include <unistd.h>

namespace jobrunner::workers {

void HttpSockets::ServeMulti(CURLM* multi) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, OnAwait);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
}

void HttpSockets::ServeEasy(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, OnClose);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

int HttpSockets::Readiness(curl_socket_t fd) {
  const auto found = awaited_.find(fd);
  if (found == awaited_.end()) return 0;
  if (found->second == CURL_POLL_IN) return CURL_CSELECT_IN;
  // Between two requests only its end can be read, and would be for ever.
  if (found->second == CURL_POLL_NONE) Drop(fd);
  return 0;
}

int HttpSockets::OnAwait(CURL* easy, curl_socket_t fd, int what, void* self, void* /*per_socket*/) {
  auto& sockets = *static_cast<HttpSockets*>(self);
  if (what == CURL_POLL_REMOVE) {
    sockets.Leave(easy, fd);
  } else {
    sockets.Await(fd, what);
  }
  return 0;
}

int HttpSockets::OnClose(void* self, curl_socket_t fd) {
  // Closing it takes it out of the poller.
  static_cast<HttpSockets*>(self)->awaited_.erase(fd);
  return close(fd);
}

void HttpSockets::Await(curl_socket_t fd, int what) {
  const auto tag = static_cast<uint64_t>(fd);
  const auto [entry, is_new] = awaited_.try_emplace(fd, CURL_POLL_IN);
  if (is_new) poller_.Watch(fd, tag);
  const bool writes = (what & CURL_POLL_OUT) != 0;
  const bool wrote = (entry->second & CURL_POLL_OUT) != 0;
  if (writes != wrote) poller_.WatchWritable(fd, tag, writes);
  entry->second = what;
}

// Only of a connection that has had an answer is it certain that libcurl (7.88) says when it closes
// it: one that is still being made it closes without OnClose, as it does its resolvers' sockets.
void HttpSockets::Leave(CURL* easy, curl_socket_t fd) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  status == 0 ? Drop(fd) : Await(fd, CURL_POLL_NONE);
}

void HttpSockets::Drop(curl_socket_t fd) {
  poller_.Unwatch(fd);
  awaited_.erase(fd);
}

}  // namespace jobrunner::workers
