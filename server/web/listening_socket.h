#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/listen_address.h"

namespace jobrunner::web {

// A TCP socket that listens. Not thread-safe.
class ListeningSocket {
 public:
  // An error names the address. Blocks on name resolution if the host is a name.
  static absl::StatusOr<ListeningSocket> Open(const base::ListenAddress& address);

  ListeningSocket(ListeningSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), address_(std::move(other.address_)) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket() { Close(); }

  int fd() const { return fd_; }
  // HOST:PORT as bound.
  const std::string& address() const { return address_; }

  // The next connection, which does not block; -1 when there is none or it cannot be had. Out of
  // descriptors, it waits a moment, since the connection stays readable.
  int Accept();

  void Close();

 private:
  ListeningSocket(int fd, std::string address) : fd_(fd), address_(std::move(address)) {}

  int fd_;
  std::string address_;
};

}  // namespace jobrunner::web
