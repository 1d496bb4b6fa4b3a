#include "workers/http/http_url.h"

#include <arpa/inet.h>

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "workers/http/curl_handles.h"

namespace jobrunner::workers {
namespace {

// Empty when the URL does not have it.
std::string PartOf(CURLU* url, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  return CurlText(text).get();
}

}  // namespace

bool HttpUrl::host_is_address() const {
  in_addr address{};
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &address) == 1;
}

absl::StatusOr<HttpUrl> ParseHttpUrl(const std::string& url) {
  const CurlUrl parsed(curl_url());
  const CURLUcode code =
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_UNSUPPORTED_SCHEME) {
    return absl::InvalidArgumentError("must begin with http:// or https://");
  }
  if (code != CURLUE_OK) {
    return absl::InvalidArgumentError(absl::StrCat("is not a URL: ", curl_url_strerror(code)));
  }
  const std::string scheme = PartOf(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return absl::InvalidArgumentError("must begin with http:// or https://");
  }
  HttpUrl result;
  result.host = absl::AsciiStrToLower(PartOf(parsed.get(), CURLUPART_HOST));
  result.https = scheme == "https";
  const std::string port = PartOf(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (result.host.empty() || !absl::SimpleAtoi(port, &result.port)) {
    return absl::InvalidArgumentError("is not a URL: it names no host");
  }
  return result;
}

}  // namespace jobrunner::workers
