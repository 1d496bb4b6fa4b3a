// A connection as cpp-httplib reads and writes it, which cannot be held open.

#pragma once

#include <httplib.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"

namespace jobrunner::web {

// Reads a request and writes its answer with one deadline for both: a peer that sends a byte now
// and then, or reads none, gets no more time than any other. Reads at most kRequestBytesMax.
//
// One thread reads and writes; Interrupt and waiting are for any.
class PeerStream final : public httplib::Stream {
 public:
  static constexpr int64_t kRequestBytesMax = 64 << 10;

  // Owns `fd`, a connected socket that does not block. `stop_fd` turns readable when the server
  // stops: a request that is not complete is then given up, an answer gets kStopPatience more.
  // `waits` is called each time the stream begins to wait for its peer.
  PeerStream(int fd, int stop_fd, base::SteadyTime deadline, std::function<void()> waits);
  ~PeerStream() override;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

  // Whether it waits for its peer.
  bool waiting() const { return waiting_; }
  // Ends every read and write, now and to come.
  void Interrupt();

 private:
  // Until `events` (POLLIN or POLLOUT); false at the deadline.
  bool Await(short events);
  ssize_t Receive(char* to, size_t size);
  void ObeyStop(short events);

  const int fd_;
  const int stop_fd_;
  const std::function<void()> waits_;
  base::SteadyTime deadline_;
  bool stopping_ = false;
  int64_t bytes_left_ = kRequestBytesMax;
  // What was received and not yet read: cpp-httplib reads byte by byte.
  std::string buffer_;
  size_t taken_ = 0;
  std::atomic<bool> waiting_ = false;
};

}  // namespace jobrunner::web
