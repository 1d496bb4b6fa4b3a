#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/limits.h"
#include "jobrunner/config/v1/config.pb.h"
#include "workers/http/http_url.h"
#include "workers/http/webhook_signature.h"

namespace jobrunner::workers {

// Where requests may go, and what bounds them. Immutable: any thread may call it.
class HttpPolicy {
 public:
  // INVALID_ARGUMENT names the field, as "http.allow[2].host: …"; other errors the file of the
  // secret, which it reads.
  static absl::StatusOr<HttpPolicy> Load(const config::v1::Http& config);

  struct Target {
    HttpUrl url;
    // Its address need not be a public one.
    bool may_be_private = false;
  };

  // INVALID_ARGUMENT or PERMISSION_DENIED with the reason alone, in which there is no more of the
  // URL than host and port.
  absl::StatusOr<Target> Check(const std::string& url) const;

  // All that is allowed: "HOST" at the scheme's own port, or "HOST:PORT".
  std::vector<std::string> Hosts() const;

  int redirects_max() const { return redirects_max_; }
  int64_t response_bytes_max() const { return response_bytes_max_; }
  std::chrono::milliseconds timeout() const { return timeout_; }
  std::chrono::milliseconds connect_timeout() const { return connect_timeout_; }
  // Null: requests are not signed.
  const WebhookSigner* signer() const { return signer_ ? &*signer_ : nullptr; }
  // The file with the certificates that are trusted; empty: the system's are.
  const std::string& ca_file() const { return ca_file_; }

 private:
  struct Place {
    // "*", "*.example.com", or as HttpUrl has it.
    std::string host;
    // 0: the scheme's own.
    int port = 0;
    bool is_private = false;

    bool Covers(const HttpUrl& url) const;
  };

  HttpPolicy() = default;
  absl::Status LoadSigner(const config::v1::Http& config);
  absl::Status LoadCaFile(const std::string& path);
  static absl::StatusOr<Place> LoadPlace(const config::v1::AllowedHost& allowed);

  std::vector<Place> places_;
  int redirects_max_ = 0;
  int64_t response_bytes_max_ = engine::kOutputBytesDefault;
  std::chrono::milliseconds timeout_ = engine::kHttpTimeoutDefault;
  std::chrono::milliseconds connect_timeout_ = engine::kHttpConnectTimeoutDefault;
  std::optional<WebhookSigner> signer_;
  std::string ca_file_;
};

}  // namespace jobrunner::workers
