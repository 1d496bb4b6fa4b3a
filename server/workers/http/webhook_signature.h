#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace jobrunner::workers {

// Signs messages as Standard Webhooks has it (standardwebhooks.com, symmetric: HMAC-SHA256).
// Immutable: any thread may call it.
class WebhookSigner {
 public:
  // `secret` is "whsec_" and 24 to 64 bytes in base64, perhaps with white space around it.
  // INVALID_ARGUMENT, which does not have the secret in it.
  static absl::StatusOr<WebhookSigner> FromSecret(std::string_view secret);

  // The value of the header webhook-signature: "v1," and base64 of the HMAC of "ID.TIMESTAMP.BODY".
  // `timestamp` is in seconds since 1970.
  std::string Sign(std::string_view id, int64_t timestamp, std::string_view body) const;

 private:
  explicit WebhookSigner(std::string key) : key_(std::move(key)) {}

  std::string key_;
};

}  // namespace jobrunner::workers
