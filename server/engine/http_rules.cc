#include "engine/http_rules.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "engine/field_rules.h"
#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kMethods[] = {"",    "GET",   "HEAD",   "POST",
                                         "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::string_view kMethodsWithoutBody[] = {"GET", "HEAD", "OPTIONS"};

// What frames the message, or is said to the next hop alone: from a client it could smuggle a
// second request (RFC 9112, section 11.2). Lower case.
constexpr std::string_view kReservedHeaders[] = {
    "host",    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "expect",         "http2-settings"};
constexpr std::string_view kReservedPrefixes[] = {"proxy-", "jobrunner-", "webhook-"};

bool IsAmong(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// RFC 9110, section 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [=](char c) {
    return absl::ascii_isalnum(c) || kMarks.find(c) != kMarks.npos;
  });
}

bool IsReserved(std::string_view lower) {
  return IsAmong(kReservedHeaders, lower) ||
         std::any_of(std::begin(kReservedPrefixes), std::end(kReservedPrefixes),
                     [=](std::string_view prefix) { return lower.starts_with(prefix); });
}

// A line's end in a value would begin a header, or a request, of its own.
bool IsHeaderValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return absl::ascii_iscntrl(c) && c != '\t'; });
}

void CheckHeaders(const FieldPath& path, const v1::HttpRequest& request, Violations* violations) {
  if (request.headers_size() > kHttpHeadersMax) {
    violations->Add(FieldPath(path, "headers"),
                    absl::StrFormat("has %d headers, at most %d are allowed",
                                    request.headers_size(), kHttpHeadersMax));
    return;
  }
  absl::flat_hash_set<std::string> seen;
  int64_t bytes = 0;
  for (const auto& [name, value] : request.headers()) {
    const FieldPath header(path, "headers", name);
    const std::string lower = absl::AsciiStrToLower(name);
    if (!IsToken(name)) {
      violations->Add(header, "is not a header's name");
    } else if (IsReserved(lower)) {
      violations->Add(header, "is the server's to set");
    } else if (!seen.insert(lower).second) {
      violations->Add(header, "is there twice: case does not matter");
    }
    if (!IsHeaderValue(value)) violations->Add(header, "must not have control characters");
    bytes += static_cast<int64_t>(name.size() + value.size());
  }
  if (bytes > kHttpHeaderBytesMax) {
    violations->Add(
        FieldPath(path, "headers"),
        absl::StrFormat("has %d bytes in all, at most %d are allowed", bytes, kHttpHeaderBytesMax));
  }
}

}  // namespace

void CheckUrl(const FieldPath& path, std::string_view url, Violations* violations) {
  CheckLength(path, url, kUrlBytesMax, violations);
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return absl::ascii_isgraph(c); });
  if (!printable) {
    return violations->Add(path,
                           "has other characters than printable ASCII: they are to be encoded");
  }
  const size_t scheme = url.find("://");
  const std::string name =
      absl::AsciiStrToLower(absl::string_view(url.data(), scheme == url.npos ? 0 : scheme));
  if (name != "http" && name != "https") {
    return violations->Add(path, "must begin with http:// or https://");
  }
  // A backslash is a slash to some who read URLs, and not to others.
  const std::string_view authority =
      url.substr(scheme + 3, url.find_first_of("/?#\\", scheme + 3) - scheme - 3);
  if (authority.empty()) violations->Add(path, "names no host");
  if (authority.find('@') != authority.npos) {
    violations->Add(path, "must not have a user's name or password");
  }
  if (url.find('\\') != url.npos) violations->Add(path, "must not have backslashes");
}

void CheckHttpRequest(const FieldPath& path, const v1::HttpRequest& request, int64_t body_bytes_max,
                      Violations* violations) {
  if (!IsAmong(kMethods, request.method())) {
    violations->Add(FieldPath(path, "method"),
                    "must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
  }
  CheckUrl(FieldPath(path, "url"), request.url(), violations);
  CheckHeaders(path, request, violations);
  CheckLength(FieldPath(path, "body"), request.body(), body_bytes_max, violations);
  if (!request.body().empty() && IsAmong(kMethodsWithoutBody, request.method())) {
    violations->Add(FieldPath(path, "body"), "must be empty with GET, HEAD and OPTIONS");
  }
}

}  // namespace jobrunner::engine
