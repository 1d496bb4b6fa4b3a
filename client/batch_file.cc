#include "client/batch_file.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/json_outline.h"
#include "client/safe_text.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

absl::Status ParseMessage(const std::string& json, google::protobuf::Message* message) {
  if (OutlineJson(json).depth_max > kJsonDepthMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON nested deeper than ", kJsonDepthMax, " levels"));
  }
  const auto status = google::protobuf::util::JsonStringToMessage(json, message);
  if (status.ok()) return absl::OkStatus();
  const std::string reason(status.message().data(), status.message().size());
  return absl::InvalidArgumentError(SafeText(reason));
}

absl::Status OnLine(int64_t line, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", status.message()));
}

absl::StatusOr<v1::SubmitBatchRequest> ParseLines(const std::string& text) {
  v1::SubmitBatchRequest request;
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const absl::Status status =
        ParseMessage(std::string(line), request.mutable_batch()->add_jobs());
    if (!status.ok()) return OnLine(number, status);
  }
  if (request.batch().jobs().empty()) return absl::InvalidArgumentError("no jobs in it");
  return request;
}

bool IsRequest(const std::string& text) {
  // The first value tells; deep text behind it is found by whoever parses it.
  const auto keys = OutlineJson(text).first_keys;
  return std::any_of(keys.begin(), keys.end(), [](const std::string& key) {
    return key == "batch" || key == "requestId" || key == "request_id";
  });
}

absl::StatusOr<std::string> ReadAll(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size == 0) return text;
    if (size < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "reading");
    if (size > 0) text.append(buffer.data(), static_cast<size_t>(size));
  }
}

}  // namespace

absl::StatusOr<v1::SubmitBatchRequest> ParseBatchFile(const std::string& text) {
  if (!IsRequest(text)) return ParseLines(text);
  v1::SubmitBatchRequest request;
  const absl::Status status = ParseMessage(text, &request);
  if (!status.ok()) return status;
  return request;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  if (path == "-") return ReadAll(STDIN_FILENO);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, SafeText(path));
  auto text = ReadAll(fd);
  close(fd);
  if (!text.ok()) {
    return absl::Status(text.status().code(),
                        absl::StrCat(SafeText(path), ": ", text.status().message()));
  }
  return text;
}

}  // namespace jobrunner::client
