#include "web/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace jobrunner::test {

Peer::Peer(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(&address[address.rfind(':') + 1])));
  connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
}

Peer::~Peer() { close(fd_); }

void Peer::Send(std::string_view bytes) { send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

std::string Peer::Receive() {
  std::string received;
  std::array<char, 4096> buffer;
  ssize_t n;
  while ((n = recv(fd_, buffer.data(), buffer.size(), 0)) > 0) {
    received.append(buffer.data(), static_cast<size_t>(n));
  }
  return received;
}

std::string Get(const std::string& address, std::string_view path) {
  Peer peer(address);
  peer.Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return peer.Receive();
}

}  // namespace jobrunner::test
