// The HTTP port.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/listen_address.h"

namespace jobrunner::web {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpOptions {
  // Not a unix socket. Port 0 picks a free one.
  base::ListenAddress address;
  // What is answered, by path ("/healthz"). Called on any of the server's threads, several at once.
  std::map<std::string, std::function<HttpAnswer()>> pages;
  int threads = 8;
  // From accept to the last byte of an answer.
  std::chrono::milliseconds timeout{5000};
};

// Answers GET and HEAD of its pages, one request a connection, on threads of its own: a bounded
// number, whatever its clients do. See ConnectionPool for what slow ones get.
class HttpServer {
 public:
  // Listens once it returns. An error when the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpOptions options);

  // Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // HOST:PORT, the port being the one that was picked.
  const std::string& address() const;

  // Accepts nothing more, finishes the answers that are under way, and blocks until that is done: a
  // second at most beyond what a page takes. Safe to call twice.
  void Stop();

 private:
  class Listener;

  explicit HttpServer(std::unique_ptr<Listener> listener);

  const std::unique_ptr<Listener> listener_;
};

}  // namespace jobrunner::web
