#pragma once

#include <string>
#include <string_view>

namespace jobrunner::test {

// A TCP client that does what it is told to, byte by byte.
class Peer {
 public:
  // `address`: 127.0.0.1:PORT.
  explicit Peer(const std::string& address);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view bytes);
  // Everything until the server closes the connection.
  std::string Receive();

 private:
  int fd_;
  bool connected_ = false;
};

// The whole answer to a GET of the path.
std::string Get(const std::string& address, std::string_view path);

}  // namespace jobrunner::test
