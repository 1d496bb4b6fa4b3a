#include "workers/http/http_answer.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"
#include "engine/limits.h"

namespace jobrunner::workers {
namespace {

constexpr int64_t kHeadBytesMax = 256 << 10;

}  // namespace

bool HttpAnswer::AddHeaderLine(std::string_view line) {
  head_bytes_ += static_cast<int64_t>(line.size());
  if (head_bytes_ > kHeadBytesMax) return false;
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    headers_.Clear();
    head_is_whole_ = false;
    header_bytes_ = 0;
    body_.clear();
    body_truncated_ = false;
  } else if (line == "\r\n" || line == "\n") {
    head_is_whole_ = true;
  } else if (colon != line.npos) {
    header_bytes_ += static_cast<int64_t>(line.size());
    if (header_bytes_ > engine::kHttpHeaderBytesKept) {
      headers_.set_headers_truncated(true);
      return true;
    }
    const absl::string_view value = absl::StripAsciiWhitespace(
        absl::string_view(line.data() + colon + 1, line.size() - colon - 1));
    v1::HttpHeader& header = *headers_.add_headers();
    header.set_name(base::ValidUtf8(line.substr(0, colon), line.size()));
    // An invalid byte becomes three.
    header.set_value(base::ValidUtf8({value.data(), value.size()}, engine::kHttpHeaderBytesKept));
  }
  return true;
}

bool HttpAnswer::AddToBody(std::string_view data) {
  const auto room = static_cast<size_t>(body_bytes_max_) - body_.size();
  body_.append(data.substr(0, room));
  body_truncated_ = data.size() > room;
  return !body_truncated_;
}

}  // namespace jobrunner::workers
