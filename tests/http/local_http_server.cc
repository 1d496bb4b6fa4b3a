#include "http/local_http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"

namespace jobrunner::test {
namespace {

using workers::UniqueFd;

constexpr int kBacklog = 4096;

UniqueFd Listen(int* port) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  JOBRUNNER_CHECK(bind(listener.get(), any, sizeof(address)) == 0);
  JOBRUNNER_CHECK(listen(listener.get(), kBacklog) == 0);
  socklen_t size = sizeof(address);
  JOBRUNNER_CHECK(getsockname(listener.get(), any, &size) == 0);
  *port = ntohs(address.sin_port);
  return listener;
}

// Takes a whole request off the front of what was received.
std::optional<LocalRequest> TakeRequest(std::string* received) {
  const size_t head_end = received->find("\r\n\r\n");
  if (head_end == received->npos) return std::nullopt;
  LocalRequest request;
  const std::vector<std::string> lines = absl::StrSplit(received->substr(0, head_end), "\r\n");
  const std::vector<std::string> words = absl::StrSplit(lines[0], ' ');
  request.method = words.at(0);
  request.target = words.at(1);
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    request.headers[absl::AsciiStrToLower(field.first)] =
        std::string(absl::StripAsciiWhitespace(field.second));
  }
  size_t body_size = 0;
  const std::string& length = request.headers["content-length"];
  JOBRUNNER_CHECK(length.empty() || absl::SimpleAtoi(length, &body_size));
  if (received->size() < head_end + 4 + body_size) return std::nullopt;
  request.body = received->substr(head_end + 4, body_size);
  received->erase(0, head_end + 4 + body_size);
  return request;
}

// Blocks while the other end does not read; it may go.
bool SendAll(int fd, std::string_view data) {
  fcntl(fd, F_SETFL, 0);
  while (!data.empty()) {
    const ssize_t sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<size_t>(sent));
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return true;
}

bool IsLast(const std::string& answer) { return answer.find("Connection: close") != answer.npos; }

}  // namespace

LocalHttpServer::LocalHttpServer(Answer answer)
    : answer_(std::move(answer)),
      listener_(Listen(&port_)),
      poller_(*workers::Poller::Create()),
      thread_([this] { Serve(); }) {}

LocalHttpServer::~LocalHttpServer() {
  {
    absl::MutexLock lock(&mutex_);
    end_ = true;
  }
  poller_.Wake();
  thread_.join();
}

std::string LocalHttpServer::Url(const std::string& target) const {
  return absl::StrCat("http://127.0.0.1:", port_, target);
}

std::vector<LocalRequest> LocalHttpServer::AwaitRequests(size_t count) {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return requests_.size() >= count;
  };
  mutex_.Await(absl::Condition(&enough));
  return requests_;
}

std::vector<LocalRequest> LocalHttpServer::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

int LocalHttpServer::connections() const {
  absl::MutexLock lock(&mutex_);
  return connections_;
}

void LocalHttpServer::AwaitNoConnection() {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_count_ == 0; };
  mutex_.Await(absl::Condition(&none));
}

void LocalHttpServer::AnswerAll(std::string answer) {
  {
    absl::MutexLock lock(&mutex_);
    answer_to_all_ = std::move(answer);
  }
  poller_.Wake();
}

void LocalHttpServer::Serve() {
  const auto listener = static_cast<uint64_t>(listener_.get());
  poller_.Watch(listener_.get(), listener);
  std::vector<uint64_t> ready;
  while (true) {
    poller_.Wait(base::SteadyTime::max(), &ready);
    for (const uint64_t tag : ready) tag == listener ? Accept() : Read(static_cast<int>(tag));
    AnswerWaiting();
    absl::MutexLock lock(&mutex_);
    open_count_ = static_cast<int>(open_.size());
    if (end_) return;
  }
}

void LocalHttpServer::Accept() {
  while (true) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.is_open()) return;
    const int number = fd.get();
    poller_.Watch(number, static_cast<uint64_t>(number));
    open_[number].fd = std::move(fd);
    absl::MutexLock lock(&mutex_);
    ++connections_;
  }
}

void LocalHttpServer::Read(int fd) {
  const auto found = open_.find(fd);
  if (found == open_.end()) return;
  char buffer[64 << 10];
  const ssize_t bytes = recv(fd, buffer, sizeof(buffer), 0);
  if (bytes > 0) {
    found->second.received.append(buffer, static_cast<size_t>(bytes));
    if (AnswerReceived(found->second)) return;
  } else if (bytes < 0 && errno == EAGAIN) {
    return;
  }
  open_.erase(found);
}

bool LocalHttpServer::AnswerReceived(Connection& connection) {
  while (auto request = TakeRequest(&connection.received)) {
    request->number_on_connection = ++connection.requests;
    {
      absl::MutexLock lock(&mutex_);
      requests_.push_back(*request);
    }
    const std::string answer = answer_(*request);
    if (answer == kHangUp) return false;
    connection.waits = answer.empty();
    if (!SendAll(connection.fd.get(), answer) || IsLast(answer)) return false;
  }
  return true;
}

void LocalHttpServer::AnswerWaiting() {
  std::string answer;
  {
    absl::MutexLock lock(&mutex_);
    answer = answer_to_all_;
  }
  if (answer.empty()) return;
  for (auto& [fd, connection] : open_) {
    if (std::exchange(connection.waits, false)) SendAll(fd, answer);
  }
}

std::string HttpAnswerText(int status, const std::string& body, const std::string& headers) {
  return absl::StrCat("HTTP/1.1 ", status, " Text\r\n", headers, "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

}  // namespace jobrunner::test
