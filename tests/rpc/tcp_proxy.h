// A way to lose connections as networks lose them.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace jobrunner::rpc {

// Passes TCP connections on, on loopback. Faults: Reset, Freeze. Its methods may be called on any
// thread and return when the fault has happened.
class TcpProxy {
 public:
  // To `address`, "127.0.0.1:PORT".
  explicit TcpProxy(const std::string& address);
  // Ends what it passes on.
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  const std::string& address() const { return address_; }

  // Both ends of every connection get a TCP reset. Returns how many connections there were.
  int Reset() { return Do(Order::kReset); }
  // Nothing is passed on any more, in either direction, and nothing ends: what is left of a peer
  // that has lost its power. Returns how many connections there are.
  int Freeze() { return Do(Order::kFreeze); }

 private:
  enum class Order : uint8_t { kNone, kReset, kFreeze, kEnd };
  struct Pipe {
    int near = -1;
    int far = -1;
  };

  int Do(Order order);
  void Run();
  // False when it is to end.
  bool Obey();
  void Accept();
  // False when one side has ended.
  static bool Pass(int from, int to);
  static void Close(const Pipe& pipe, bool reset);

  int target_port_ = 0;
  int listener_ = -1;
  // Wakes the thread; what it wakes it for; its answer.
  int wake_ = -1;
  std::atomic<Order> order_{Order::kNone};
  std::atomic<int> answer_{0};
  std::string address_;
  // The thread's own.
  std::vector<Pipe> pipes_;
  bool frozen_ = false;
  std::thread thread_;
};

}  // namespace jobrunner::rpc
