#pragma once

#include <curl/curl.h>

#include "absl/container/flat_hash_map.h"
#include "workers/poller.h"

namespace jobrunner::workers {

// The sockets that libcurl waits for, in the poller, tagged with their descriptors. A connection
// stays in it from one request to the next: to take it out and put it back would be two system
// calls a request, a twentieth of what a request costs. One thread.
class HttpSockets {
 public:
  // `poller` outlives it.
  explicit HttpSockets(Poller* poller) : poller_(*poller) {}

  // Of `multi`, and of each handle that is added to it; this outlives the connections they open.
  void ServeMulti(CURLM* multi);
  void ServeEasy(CURL* easy);

  // What libcurl is to be told of a socket that the poller says is ready: CURL_CSELECT_IN; or 0,
  // and it looks itself for what. libcurl ignores those that it does not wait for.
  int Readiness(curl_socket_t fd);

 private:
  static int OnAwait(CURL* easy, curl_socket_t fd, int what, void* self, void* per_socket);
  static int OnClose(void* self, curl_socket_t fd);

  void Await(curl_socket_t fd, int what);
  void Leave(CURL* easy, curl_socket_t fd);
  void Drop(curl_socket_t fd);

  Poller& poller_;
  // What libcurl waits for, CURL_POLL_NONE between two requests, by the sockets in the poller.
  absl::flat_hash_map<curl_socket_t, int> awaited_;
};

}  // namespace jobrunner::workers
