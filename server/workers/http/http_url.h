#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::workers {

// Where a URL leads.
struct HttpUrl {
  // Lower case. An IPv4 address has four decimal numbers, however it was written ("0x7f.1" is
  // "127.0.0.1"); an IPv6 address is in brackets.
  std::string host;
  int port = 0;
  bool https = false;

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;

  bool host_is_address() const;
};

// Read by libcurl, which also sends the request: what is checked is what is done. INVALID_ARGUMENT
// with the reason alone: not http or https, a user's name, or no URL. Any thread.
absl::StatusOr<HttpUrl> ParseHttpUrl(const std::string& url);

}  // namespace jobrunner::workers
