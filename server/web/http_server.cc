#include "web/http_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "base/status_macros.h"
#include "web/connection_pool.h"
#include "web/listening_socket.h"
#include "web/page_router.h"

namespace jobrunner::web {

// Accepts connections and hands them to the pool. cpp-httplib's own loop ends for good at the first
// error of accept but one, so that only its parsing and writing of HTTP is used.
class HttpServer::Listener {
 public:
  Listener(HttpOptions options, ListeningSocket socket)
      : socket_(std::move(socket)),
        stop_fd_(eventfd(0, EFD_CLOEXEC)),
        router_(std::move(options.pages)),
        pool_({.threads = options.threads, .timeout = options.timeout}, stop_fd_,
              [this](PeerStream& stream) { router_.Serve(stream); }),
        thread_([this] { Run(); }) {}

  ~Listener() {
    Stop();
    close(stop_fd_);
  }

  const std::string& address() const { return socket_.address(); }

  void Stop() {
    eventfd_write(stop_fd_, 1);
    if (thread_.joinable()) thread_.join();
    socket_.Close();
    pool_.Stop();
  }

 private:
  void Run() {
    while (AwaitConnection()) {
      const int fd = socket_.Accept();
      if (fd >= 0) pool_.Add(fd);
    }
  }

  // False when the server stops.
  bool AwaitConnection() {
    std::array<pollfd, 2> fds{{{socket_.fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    poll(fds.data(), fds.size(), -1);
    return fds[1].revents == 0;
  }

  ListeningSocket socket_;
  const int stop_fd_;
  PageRouter router_;
  ConnectionPool pool_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpOptions options) {
  ASSIGN_OR_RETURN(ListeningSocket socket, ListeningSocket::Open(options.address));
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_unique<Listener>(std::move(options), std::move(socket))));
}

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

HttpServer::~HttpServer() = default;

const std::string& HttpServer::address() const { return listener_->address(); }

void HttpServer::Stop() { listener_->Stop(); }

}  // namespace jobrunner::web
