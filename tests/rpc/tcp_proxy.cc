#include "rpc/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace jobrunner::rpc {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int NewSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  JOBRUNNER_CHECK(fd >= 0);
  return fd;
}

}  // namespace

TcpProxy::TcpProxy(const std::string& address)
    : target_port_(std::stoi(address.substr(address.rfind(':') + 1))),
      listener_(NewSocket()),
      wake_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in own = Loopback(0);
  socklen_t size = sizeof(own);
  auto* generic = reinterpret_cast<sockaddr*>(&own);
  JOBRUNNER_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, SOMAXCONN) == 0);
  JOBRUNNER_CHECK(getsockname(listener_, generic, &size) == 0);
  address_ = "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::~TcpProxy() {
  Do(Order::kEnd);
  thread_.join();
  for (const Pipe& pipe : pipes_) Close(pipe, /*reset=*/false);
  close(listener_);
  close(wake_);
}

int TcpProxy::Do(Order order) {
  order_ = order;
  const uint64_t one = 1;
  JOBRUNNER_CHECK(write(wake_, &one, sizeof(one)) == sizeof(one));
  order_.wait(order);
  return answer_;
}

void TcpProxy::Run() {
  for (;;) {
    std::vector<pollfd> waiting = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pipe& pipe : pipes_) {
      if (frozen_) break;
      waiting.push_back({pipe.near, POLLIN, 0});
      waiting.push_back({pipe.far, POLLIN, 0});
    }
    poll(waiting.data(), waiting.size(), -1);
    std::vector<Pipe> left;
    for (size_t i = 0; i < pipes_.size(); ++i) {
      const bool alive =
          frozen_ || ((waiting[2 + 2 * i].revents == 0 || Pass(pipes_[i].near, pipes_[i].far)) &&
                      (waiting[3 + 2 * i].revents == 0 || Pass(pipes_[i].far, pipes_[i].near)));
      alive ? left.push_back(pipes_[i]) : Close(pipes_[i], /*reset=*/false);
    }
    pipes_ = std::move(left);
    if (waiting[1].revents != 0) Accept();
    if (waiting[0].revents != 0 && !Obey()) return;
  }
}

bool TcpProxy::Obey() {
  uint64_t ignored = 0;
  JOBRUNNER_CHECK(read(wake_, &ignored, sizeof(ignored)) == sizeof(ignored));
  const Order order = order_;
  answer_ = static_cast<int>(pipes_.size());
  if (order == Order::kReset) {
    for (const Pipe& pipe : pipes_) Close(pipe, /*reset=*/true);
    pipes_.clear();
  }
  frozen_ |= order == Order::kFreeze;
  order_ = Order::kNone;
  order_.notify_all();
  return order != Order::kEnd;
}

void TcpProxy::Accept() {
  Pipe pipe;
  pipe.near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (pipe.near < 0) return;
  pipe.far = NewSocket();
  const sockaddr_in target = Loopback(target_port_);
  if (connect(pipe.far, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0) {
    pipes_.push_back(pipe);
  } else {
    Close(pipe, /*reset=*/false);
  }
}

bool TcpProxy::Pass(int from, int to) {
  char bytes[16 << 10];
  ssize_t left = recv(from, bytes, sizeof(bytes), 0);
  if (left <= 0) return false;
  for (const char* next = bytes; left > 0;) {
    const ssize_t sent = send(to, next, static_cast<size_t>(left), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    next += sent;
    left -= sent;
  }
  return true;
}

void TcpProxy::Close(const Pipe& pipe, bool reset) {
  for (const int side : {pipe.near, pipe.far}) {
    // Without lingering, a close is a reset.
    const linger none{1, 0};
    if (reset) setsockopt(side, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(side);
  }
}

}  // namespace jobrunner::rpc
