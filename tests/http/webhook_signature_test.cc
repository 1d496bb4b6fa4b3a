#include "workers/http/webhook_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobrunner::workers {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string SecretOf(size_t bytes) {
  return absl::StrCat("whsec_", absl::Base64Escape(std::string(bytes, 'k')));
}

// From the documentation of Svix, whose scheme became Standard Webhooks.
TEST(WebhookSignature, IsThatOfThePublishedExample) {
  const auto signer = WebhookSigner::FromSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(signer.ok()) << signer.status();
  EXPECT_EQ(signer->Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, WhiteSpaceAroundTheSecretDoesNotMatter) {
  const auto plain = WebhookSigner::FromSecret(SecretOf(32));
  const auto spaced = WebhookSigner::FromSecret(absl::StrCat(" ", SecretOf(32), "\r\n"));
  ASSERT_TRUE(plain.ok() && spaced.ok());
  EXPECT_EQ(plain->Sign("a", 1, "b"), spaced->Sign("a", 1, "b"));
}

TEST(WebhookSignature, SecretsOfAnotherKindAreRefusedAndNotTold) {
  EXPECT_TRUE(WebhookSigner::FromSecret(SecretOf(24)).ok());
  EXPECT_TRUE(WebhookSigner::FromSecret(SecretOf(64)).ok());
  for (const std::string& secret :
       {std::string("hunter2"), std::string("whsec_hunter2!"), SecretOf(23), SecretOf(65)}) {
    const absl::Status status = WebhookSigner::FromSecret(secret).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << secret;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace jobrunner::workers
