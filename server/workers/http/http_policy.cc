#include "workers/http/http_policy.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/proto_time.h"

namespace jobrunner::workers {
namespace {

constexpr int kPortMax = 65535;
constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;
// Of no scheme.
constexpr int kOtherPort = 1;

absl::Status At(const std::string& field, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(field, ": ", status.message()));
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("\"", path, "\" cannot be read"));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::chrono::milliseconds Milliseconds(const google::protobuf::Duration& duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(engine::FromDuration(duration));
}

}  // namespace

absl::StatusOr<HttpPolicy> HttpPolicy::Load(const config::v1::Http& config) {
  HttpPolicy policy;
  for (int i = 0; i < config.allow_size(); ++i) {
    absl::StatusOr<Place> place = LoadPlace(config.allow(i));
    if (!place.ok()) return At(absl::StrCat("http.allow[", i, "]"), place.status());
    policy.places_.push_back(*std::move(place));
  }
  policy.redirects_max_ = config.redirects_max();
  if (config.has_response_bytes_max()) policy.response_bytes_max_ = config.response_bytes_max();
  if (config.has_timeout()) policy.timeout_ = Milliseconds(config.timeout());
  if (config.has_connect_timeout()) {
    policy.connect_timeout_ = Milliseconds(config.connect_timeout());
  }
  RETURN_IF_ERROR(policy.LoadSigner(config));
  RETURN_IF_ERROR(policy.LoadCaFile(config.ca_file()));
  return policy;
}

absl::Status HttpPolicy::LoadSigner(const config::v1::Http& config) {
  std::string field = "http.signing_secret";
  std::string secret = config.signing_secret();
  if (!config.signing_secret_file().empty()) {
    field = "http.signing_secret_file";
    if (!secret.empty()) return absl::InvalidArgumentError(field + ": signing_secret is set too");
    absl::StatusOr<std::string> read = ReadWhole(config.signing_secret_file());
    if (!read.ok()) return At(field, read.status());
    secret = *std::move(read);
  } else if (secret.empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<WebhookSigner> signer = WebhookSigner::FromSecret(secret);
  if (!signer.ok()) return At(field, signer.status());
  signer_ = *std::move(signer);
  return absl::OkStatus();
}

// libcurl would say so of each request alone.
absl::Status HttpPolicy::LoadCaFile(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> pem = ReadWhole(path);
  if (!pem.ok()) return At("http.ca_file", pem.status());
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> first(
      PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr), X509_free);
  if (first == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("http.ca_file: \"", path, "\" has no certificate in PEM"));
  }
  ca_file_ = path;
  return absl::OkStatus();
}

absl::StatusOr<HttpPolicy::Place> HttpPolicy::LoadPlace(const config::v1::AllowedHost& allowed) {
  if (allowed.port() < 0 || allowed.port() > kPortMax) {
    return absl::InvalidArgumentError(absl::StrCat("port: must be from 0 to ", kPortMax));
  }
  Place place{absl::AsciiStrToLower(allowed.host()), allowed.port(), allowed.allow_private()};
  if (place.host == "*") return place;
  const bool is_below = place.host.starts_with("*.");
  // Read as the host of a request's URL, so that both are written alike. A port that came along
  // would be a second one.
  const auto url =
      ParseHttpUrl(absl::StrCat("http://", place.host.substr(is_below ? 2 : 0), ":", kOtherPort));
  if (!url.ok() || url->port != kOtherPort) {
    return absl::InvalidArgumentError(
        absl::StrCat("host: \"", allowed.host(),
                     "\" is neither a name, \"*.\" and a name, an address, nor \"*\""));
  }
  place.host = is_below ? absl::StrCat("*.", url->host) : url->host;
  return place;
}

bool HttpPolicy::Place::Covers(const HttpUrl& url) const {
  const int scheme_port = url.https ? kHttpsPort : kHttpPort;
  if (url.port != (port == 0 ? scheme_port : port)) return false;
  if (host == "*") return true;
  if (host.starts_with("*.")) return url.host.ends_with(host.substr(1));
  return url.host == host;
}

std::vector<std::string> HttpPolicy::Hosts() const {
  std::vector<std::string> hosts;
  for (const Place& place : places_) {
    hosts.push_back(place.port == 0 ? place.host : absl::StrCat(place.host, ":", place.port));
  }
  return hosts;
}

absl::StatusOr<HttpPolicy::Target> HttpPolicy::Check(const std::string& url) const {
  Target target;
  ASSIGN_OR_RETURN(target.url, ParseHttpUrl(url));
  bool is_allowed = false;
  for (const Place& place : places_) {
    if (!place.Covers(target.url)) continue;
    is_allowed = true;
    target.may_be_private |= place.is_private;
  }
  if (is_allowed) return target;
  return absl::PermissionDeniedError(absl::StrCat("requests to ", target.url.host, ":",
                                                  target.url.port,
                                                  " are not allowed by the configuration"));
}

}  // namespace jobrunner::workers
