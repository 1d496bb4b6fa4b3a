#include "workers/http/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace jobrunner::workers {
namespace {

constexpr size_t kKeyBytesMin = 24;
constexpr size_t kKeyBytesMax = 64;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::StatusOr<WebhookSigner> WebhookSigner::FromSecret(std::string_view secret) {
  absl::string_view text = absl::StripAsciiWhitespace(View(secret));
  std::string key;
  const bool is_secret = absl::ConsumePrefix(&text, "whsec_") && absl::Base64Unescape(text, &key) &&
                         key.size() >= kKeyBytesMin && key.size() <= kKeyBytesMax;
  if (!is_secret) {
    return absl::InvalidArgumentError("must be whsec_ and 24 to 64 bytes in base64");
  }
  return WebhookSigner(std::move(key));
}

std::string WebhookSigner::Sign(std::string_view id, int64_t timestamp,
                                std::string_view body) const {
  const std::string message = absl::StrCat(View(id), ".", timestamp, ".", View(body));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest,
       &digest_size);
  return absl::StrCat("v1,", absl::Base64Escape(absl::string_view(
                                 reinterpret_cast<const char*>(digest), digest_size)));
}

}  // namespace jobrunner::workers
