// http_answerer: an HTTP server that answers at once, for what asks it to be measured. One thread;
// ends with its standard input.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr int kReadyMax = 256;
constexpr int kBacklog = 4096;

void Expect(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  Expect(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

int Listen() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  Expect(bind(listener, any, sizeof(address)) == 0, "bind");
  Expect(listen(listener, kBacklog) == 0, "listen");
  socklen_t size = sizeof(address);
  Expect(getsockname(listener, any, &size) == 0, "getsockname");
  std::printf("http_answerer: serving on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

// Answers each request that is whole; they have no bodies. False when the other end has gone.
bool Answer(int fd, std::string* received) {
  char buffer[16 << 10];
  const ssize_t bytes = read(fd, buffer, sizeof(buffer));
  if (bytes <= 0) return false;
  received->append(buffer, static_cast<size_t>(bytes));
  for (size_t end; (end = received->find("\r\n\r\n")) != received->npos;) {
    received->erase(0, end + 4);
    if (send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) return false;
  }
  return true;
}

}  // namespace

int main() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int listener = Listen();
  Watch(epoll, listener);
  Watch(epoll, STDIN_FILENO);
  std::unordered_map<int, std::string> received;
  while (true) {
    epoll_event ready[kReadyMax];
    const int count = epoll_wait(epoll, ready, kReadyMax, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd == listener) {
        const int accepted = accept(listener, nullptr, nullptr);
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        Watch(epoll, accepted);
      } else if (!Answer(fd, &received[fd])) {
        received.erase(fd);
        close(fd);
      }
    }
  }
}
