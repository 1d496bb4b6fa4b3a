#include "base/listen_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>

#include "absl/strings/str_cat.h"

namespace jobrunner::base {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
// sun_path with its terminating NUL.
constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

absl::StatusOr<ListenAddress> ParseUnix(std::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("unix: needs a path");
  if (path.size() > kUnixPathBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of a unix socket has at most ", kUnixPathBytesMax, " bytes"));
  }
  if (path.find('\0') != path.npos) return absl::InvalidArgumentError("has a NUL byte");
  ListenAddress address;
  address.unix_path = std::string(path);
  return address;
}

bool IsIpv6(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

bool ListenAddress::is_local() const {
  return is_unix() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text.substr(kUnixPrefix.size()));
  const auto bad = [](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be HOST:PORT or unix:PATH: ", std::string(why)));
  };
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return bad("it has no port");

  ListenAddress address;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return bad("the port is not a number from 0 to 65535");
  }
  address.host = std::string(text.substr(0, colon));
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
    if (!IsIpv6(address.host)) return bad("what is in brackets is no IPv6 address");
    return address;
  }
  if (address.host.empty()) return bad("it has no host");
  if (address.host.find_first_of(":/[] ") != std::string::npos) {
    return bad("an IPv6 address stands in brackets, as [::1]:7420");
  }
  return address;
}

}  // namespace jobrunner::base
