#include "client/job_lines.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/batch_json.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::client {
namespace {

constexpr size_t kReadBytes = 256 << 10;
// Of a job that a server takes; JSON may need twelve times the bytes that Protobuf does.
constexpr size_t kLineBytesMax = 64 << 20;

}  // namespace

JobLines::~JobLines() { close(fd_); }

absl::StatusOr<bool> JobLines::Next(v1::Job* job) {
  std::string line;
  for (;;) {
    auto read = ReadLine(&line);
    if (!read.ok() || !*read) return read;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    job->Clear();
    if (const absl::Status status = ParseJson(line, job); !status.ok()) return OnLine(status);
    return true;
  }
}

absl::Status JobLines::Rewind() {
  buffer_.clear();
  next_ = 0;
  offset_ = 0;
  line_number_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<bool> JobLines::ReadLine(std::string* line) {
  size_t searched = next_;
  for (;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line->assign(buffer_, next_, end - next_);
      next_ = end + 1;
      ++line_number_;
      return true;
    }
    buffer_.erase(0, next_);
    next_ = 0;
    searched = buffer_.size();
    if (searched > kLineBytesMax) {
      ++line_number_;
      return OnLine(absl::InvalidArgumentError("is too long for a job"));
    }
    buffer_.resize(searched + kReadBytes);
    const ssize_t size = pread(fd_, buffer_.data() + searched, kReadBytes, offset_);
    const int error = errno;
    buffer_.resize(searched + (size > 0 ? static_cast<size_t>(size) : 0));
    if (size < 0 && error == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(error, "reading");
    offset_ += size;
    if (size > 0) continue;
    // The last line may have no end.
    if (buffer_.empty()) return false;
    line->swap(buffer_);
    buffer_.clear();
    ++line_number_;
    return true;
  }
}

absl::Status JobLines::OnLine(const absl::Status& status) const {
  return absl::InvalidArgumentError(absl::StrCat("line ", line_number_, ": ", status.message()));
}

}  // namespace jobrunner::client
