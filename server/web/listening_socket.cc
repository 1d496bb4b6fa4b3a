#include "web/listening_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"

namespace jobrunner::web {
namespace {

constexpr int kBacklog = 128;
constexpr int kFirstBytesSeconds = 2;
constexpr int kNoDescriptorsPauseMs = 50;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::string Text(const base::ListenAddress& address, uint16_t port) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", address.host, v6 ? "]:" : ":", port);
}

uint16_t BoundPort(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  // The port stands at the same place in both.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

// A connection is accepted once its first bytes are there, so that one that says nothing costs
// nothing.
bool Listen(int fd, const addrinfo& address) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kFirstBytesSeconds, sizeof(kFirstBytesSeconds));
  return bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0;
}

}  // namespace

absl::StatusOr<ListeningSocket> ListeningSocket::Open(const base::ListenAddress& address) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  const int failure = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  const std::string what = absl::StrCat("cannot listen on ", Text(address, address.port));
  if (failure != 0) {
    return absl::UnavailableError(absl::StrCat(what, ": ", gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, what);
  ListeningSocket opened(fd, "");
  if (!Listen(fd, *found)) return absl::ErrnoToStatus(errno, what);
  opened.address_ = Text(address, BoundPort(fd));
  return opened;
}

int ListeningSocket::Accept() {
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) poll(nullptr, 0, kNoDescriptorsPauseMs);
  return fd;
}

void ListeningSocket::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace jobrunner::web
