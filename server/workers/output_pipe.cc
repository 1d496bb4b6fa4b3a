#include "workers/output_pipe.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace jobrunner::workers {
namespace {

constexpr size_t kReadBytes = 64 << 10;

}  // namespace

OutputPipe::OutputPipe(int64_t bytes_max, bool is_streamed)
    : bytes_max_(bytes_max), is_streamed_(is_streamed), kept_(is_streamed ? 0 : bytes_max) {}

UniqueFd OutputPipe::Open() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return UniqueFd();
  own_end_ = UniqueFd(ends[0]);
  // Ours alone: the command would not expect it of its own.
  fcntl(own_end_.get(), F_SETFL, O_NONBLOCK);
  return UniqueFd(ends[1]);
}

void OutputPipe::Read(int64_t bytes_max) {
  static thread_local char buffer[kReadBytes];
  while (is_open() && bytes_max > 0) {
    const ssize_t count = read(own_end_.get(), buffer, sizeof(buffer));
    if (count > 0) {
      Take({buffer, static_cast<size_t>(count)});
      bytes_max -= count;
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {
      own_end_.Close();
    }
  }
}

void OutputPipe::Finish() {
  // What a process beyond our reach goes on writing must not keep us here.
  Read(1 << 20);
  own_end_.Close();
}

void OutputPipe::Take(std::string_view data) {
  bytes_ += static_cast<int64_t>(data.size());
  is_streamed_ ? Gather(data) : kept_.Append(data);
}

void OutputPipe::Gather(std::string_view data) {
  const auto room = static_cast<size_t>(bytes_max_ - streamed_bytes_);
  if (data.size() > room && truncation_ == Truncation::kNone) truncation_ = Truncation::kNew;
  gathered_.append(data.substr(0, room));
  streamed_bytes_ += static_cast<int64_t>(std::min(room, data.size()));
}

std::string OutputPipe::TakeGathered(bool* truncated) {
  if (truncation_ == Truncation::kNew) {
    truncation_ = Truncation::kTold;
    *truncated = true;
  }
  return std::exchange(gathered_, {});
}

int64_t OutputPipe::omitted() const {
  return is_streamed_ ? bytes_ - streamed_bytes_ : kept_.omitted();
}

}  // namespace jobrunner::workers
