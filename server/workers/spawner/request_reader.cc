#include "workers/spawner/request_reader.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace jobrunner::workers {

RequestReader::RequestReader(int socket)
    : socket_(socket), packet_(sizeof(SpawnRequest) + kBodyBytesInline) {}

RequestReader::Result RequestReader::Read() {
  CloseDescriptors();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(descriptors_))];
  iovec data{.iov_base = packet_.data(), .iov_len = packet_.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t bytes = recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return Result::kNothing;
  if (bytes <= 0) return Result::kClosed;
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
    const size_t size = header->cmsg_len - CMSG_LEN(0);
    memcpy(descriptors_, CMSG_DATA(header), size);
    descriptor_count_ = static_cast<int>(size / sizeof(int));
  }
  return spawn().kind == RequestKind::kSpawn ? Result::kSpawn : Result::kSignal;
}

const SpawnRequest& RequestReader::spawn() const {
  return *reinterpret_cast<const SpawnRequest*>(packet_.data());
}

const SignalRequest& RequestReader::signal() const {
  return *reinterpret_cast<const SignalRequest*>(packet_.data());
}

uint64_t RequestReader::spawn_id() const { return spawn().id; }

void RequestReader::CloseDescriptors() {
  for (int i = 0; i < descriptor_count_; ++i) close(descriptors_[i]);
  descriptor_count_ = 0;
}

char* RequestReader::Body(int* error) {
  const bool is_long = spawn().body_bytes > kBodyBytesInline;
  const int expected = 2 + (spawn().has_input != 0 ? 1 : 0) + (is_long ? 1 : 0);
  // The kernel drops descriptors that do not fit below the limit.
  if (descriptor_count_ != expected) {
    *error = EMFILE;
    return nullptr;
  }
  if (!is_long) return packet_.data() + sizeof(SpawnRequest);
  long_body_.resize(spawn().body_bytes);
  const ssize_t count = pread(descriptors_[expected - 1], long_body_.data(), long_body_.size(), 0);
  if (count == static_cast<ssize_t>(long_body_.size())) return long_body_.data();
  *error = EIO;
  return nullptr;
}

bool RequestReader::ParseSpawn(int null_input, CommandStart* start, int* error) {
  char* next = Body(error);
  if (next == nullptr) return false;
  const auto take = [&next] {
    char* const text = next;
    next += strlen(text) + 1;
    return text;
  };
  start->path = take();
  start->working_directory = take();
  strings_.clear();
  for (uint32_t i = 0; i < spawn().arguments; ++i) strings_.push_back(take());
  strings_.push_back(nullptr);
  for (uint32_t i = 0; i < spawn().variables; ++i) strings_.push_back(take());
  strings_.push_back(nullptr);
  start->arguments = strings_.data();
  start->variables = strings_.data() + spawn().arguments + 1;
  start->output = descriptors_[0];
  start->error_output = descriptors_[1];
  start->input = spawn().has_input != 0 ? descriptors_[2] : null_input;
  return true;
}

}  // namespace jobrunner::workers
