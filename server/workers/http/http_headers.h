#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "engine/attempt.h"
#include "workers/http/curl_handles.h"
#include "workers/http/webhook_signature.h"

namespace jobrunner::workers {

// One request of an attempt: its first, or the one that a redirect led to.
struct HttpHop {
  std::string url;
  // Not empty.
  std::string method;
  bool has_body = false;
  // Scheme, host and port are those of the job's own URL.
  bool is_at_origin = true;
};

// What a job's Idempotency-Key and webhook-id are.
std::string IdempotencyKey(const engine::Assignment& assignment);

// The headers of a request: the job's own and the server's. To another origin go, of the job's own,
// those alone that describe the message: others may be secrets for the origin. `signer` may be
// null; `now` is what it signs.
CurlList BuildHeaders(const engine::Assignment& assignment, const HttpHop& hop,
                      const WebhookSigner* signer, base::WallTime now);

}  // namespace jobrunner::workers
