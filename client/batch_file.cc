#include "client/batch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "client/batch_json.h"
#include "client/environment.h"
#include "client/json_outline.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {
namespace {

// The first key of a file stands in its beginning.
constexpr size_t kBeginningBytes = 64 << 10;

absl::StatusOr<int> OpenForReading(const std::string& path) {
  const int fd = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, SafeText(path));
  return fd;
}

// Calls take(bytes) for all that is there.
template <typename Take>
absl::Status ReadAll(int fd, Take take) {
  std::array<char, kBeginningBytes> buffer;
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size == 0) return absl::OkStatus();
    if (size < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "reading");
    if (size < 0) continue;
    absl::Status status = take(std::string_view(buffer.data(), static_cast<size_t>(size)));
    if (!status.ok()) return status;
  }
}

absl::Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "keeping what was read");
    if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
  }
  return absl::OkStatus();
}

// A file without a name that has what comes out of `fd`, which is closed.
absl::StatusOr<int> Kept(int fd) {
  const absl::Cleanup close_fd = [fd] { close(fd); };
  std::string name = absl::StrCat(Environment("TMPDIR", "/var/tmp"), "/jobrunner-XXXXXX");
  const int kept = mkostemp(name.data(), O_CLOEXEC);
  if (kept < 0) return absl::ErrnoToStatus(errno, SafeText(name));
  unlink(name.c_str());
  const absl::Status status =
      ReadAll(fd, [kept](std::string_view bytes) { return WriteAll(kept, bytes); });
  if (status.ok()) return kept;
  close(kept);
  return status;
}

bool IsRequest(int fd) {
  std::string beginning(kBeginningBytes, '\0');
  const ssize_t size = pread(fd, beginning.data(), beginning.size(), 0);
  beginning.resize(size > 0 ? static_cast<size_t>(size) : 0);
  // The first value tells; deep text behind it is found by whoever parses it.
  const auto keys = OutlineJson(beginning).first_keys;
  return std::any_of(keys.begin(), keys.end(), [](const std::string& key) {
    return key == "batch" || key == "requestId" || key == "request_id";
  });
}

absl::StatusOr<BatchFile> ReadRequest(int fd) {
  const absl::Cleanup close_fd = [fd] { close(fd); };
  std::string text;
  if (lseek(fd, 0, SEEK_SET) < 0) return absl::ErrnoToStatus(errno, "reading");
  absl::Status status = ReadAll(fd, [&](std::string_view bytes) {
    text.append(bytes);
    return absl::OkStatus();
  });
  v1::SubmitBatchRequest request;
  if (status.ok()) status = ParseJson(text, &request);
  if (!status.ok()) return status;
  return request;
}

}  // namespace

absl::StatusOr<BatchFile> OpenBatchFile(const std::string& path) {
  auto fd = OpenForReading(path);
  // A pipe, or a file of which something was read already.
  if (fd.ok() && lseek(*fd, 0, SEEK_CUR) != 0) fd = Kept(*fd);
  if (!fd.ok()) return fd.status();
  if (IsRequest(*fd)) return ReadRequest(*fd);
  return std::make_unique<JobLines>(*fd);
}

}  // namespace jobrunner::client
