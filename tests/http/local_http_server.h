#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "workers/poller.h"
#include "workers/unique_fd.h"

namespace jobrunner::test {

struct LocalRequest {
  std::string method;
  // Path and query.
  std::string target;
  // By their names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
  // From 1.
  int number_on_connection = 0;
};

// A real HTTP server on loopback, whose answers a test writes byte by byte, wrong ones included.
// One thread serves all connections, thousands of them. Any thread may call it.
class LocalHttpServer {
 public:
  // What is sent, at once. Nothing: the request stays unanswered. Whatever has "Connection: close"
  // in it is the last on its connection. Runs on the server's thread.
  using Answer = std::function<std::string(const LocalRequest& request)>;
  // An answer: the connection is closed without one.
  static constexpr std::string_view kHangUp = "hang up";

  explicit LocalHttpServer(Answer answer);
  ~LocalHttpServer();

  int port() const { return port_; }
  // "http://127.0.0.1:PORT" and the target.
  std::string Url(const std::string& target) const;

  // Waits until there were so many requests in all.
  std::vector<LocalRequest> AwaitRequests(size_t count) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<LocalRequest> requests() const ABSL_LOCKS_EXCLUDED(mutex_);
  int connections() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until no client is connected.
  void AwaitNoConnection() ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers all that stays unanswered.
  void AnswerAll(std::string answer) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Connection {
    workers::UniqueFd fd;
    std::string received;
    int requests = 0;
    bool waits = false;
  };

  void Serve();
  void Accept();
  void Read(int fd);
  void AnswerWaiting();
  // False when the connection is to be closed.
  bool AnswerReceived(Connection& connection);

  const Answer answer_;
  int port_ = 0;
  workers::UniqueFd listener_;
  workers::Poller poller_;

  // Of the server's thread.
  absl::flat_hash_map<int, Connection> open_;

  mutable absl::Mutex mutex_;
  std::vector<LocalRequest> requests_ ABSL_GUARDED_BY(mutex_);
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  int open_count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string answer_to_all_ ABSL_GUARDED_BY(mutex_);
  bool end_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

// A whole answer; `headers` are lines that end in "\r\n".
std::string HttpAnswerText(int status, const std::string& body = "",
                           const std::string& headers = "");

}  // namespace jobrunner::test
