#include "workers/http/http_headers.h"

#include <chrono>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/version.h"
#include "workers/rfc3339.h"

namespace jobrunner::workers {
namespace {

constexpr char kIdempotencyKey[] = "Idempotency-Key";
constexpr char kUserAgent[] = "User-Agent";
constexpr char kContentType[] = "Content-Type";

class HeaderWriter {
 public:
  explicit HeaderWriter(const v1::HttpRequest& request) : request_(request) {}

  void Add(absl::string_view name, absl::string_view value) {
    // "Name:" would take the header out; "Name;" is how curl is told an empty value.
    Append(value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value));
  }
  void AddUnlessSet(absl::string_view name, absl::string_view value) {
    if (!IsSet(name)) Add(name, value);
  }
  // One that curl would add.
  void LeaveOut(absl::string_view name) { Append(absl::StrCat(name, ":")); }
  bool IsSet(absl::string_view name) const {
    for (const auto& [set, value] : request_.headers()) {
      if (absl::EqualsIgnoreCase(set, name)) return true;
    }
    return false;
  }

  CurlList Take() { return std::move(list_); }

 private:
  void Append(const std::string& line) {
    curl_slist* const longer = curl_slist_append(list_.get(), line.c_str());
    if (list_ == nullptr) list_.reset(longer);
  }

  const v1::HttpRequest& request_;
  CurlList list_;
};

bool DescribesTheMessage(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, kContentType) || absl::EqualsIgnoreCase(name, "Accept") ||
         absl::EqualsIgnoreCase(name, kUserAgent) || absl::EqualsIgnoreCase(name, kIdempotencyKey);
}

void WriteAttempt(const engine::Assignment& assignment, HeaderWriter& writer) {
  writer.Add("Jobrunner-Batch-Id", assignment.jobs->batch_id());
  writer.Add("Jobrunner-Job-Index", absl::StrCat(assignment.index));
  writer.Add("Jobrunner-Attempt", absl::StrCat(assignment.attempt));
  if (assignment.wall_deadline != base::WallTime::max()) {
    writer.Add("Jobrunner-Deadline", Rfc3339(assignment.wall_deadline));
  }
}

void WriteSignature(const std::string& id, std::string_view body, const WebhookSigner& signer,
                    base::WallTime now, HeaderWriter& writer) {
  const int64_t timestamp =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  writer.Add("webhook-id", id);
  writer.Add("webhook-timestamp", absl::StrCat(timestamp));
  writer.Add("webhook-signature", signer.Sign(id, timestamp, body));
}

}  // namespace

std::string IdempotencyKey(const engine::Assignment& assignment) {
  const std::string& key = assignment.job().http().idempotency_key();
  return key.empty() ? absl::StrCat(assignment.jobs->batch_id(), "/", assignment.index) : key;
}

CurlList BuildHeaders(const engine::Assignment& assignment, const HttpHop& hop,
                      const WebhookSigner* signer, base::WallTime now) {
  const v1::HttpRequest& request = assignment.job().http();
  HeaderWriter writer(request);
  for (const auto& [name, value] : request.headers()) {
    const bool goes = hop.is_at_origin || DescribesTheMessage(name);
    if (goes && (hop.has_body || !absl::EqualsIgnoreCase(name, kContentType))) {
      writer.Add(name, value);
    }
  }
  const std::string key = IdempotencyKey(assignment);
  writer.AddUnlessSet(kIdempotencyKey, key);
  writer.AddUnlessSet(kUserAgent, absl::StrCat("jobrunner/", base::kVersion));
  if (hop.has_body) {
    writer.AddUnlessSet(kContentType, "application/octet-stream");
    // It would wait for an answer to the head before it sends a large body.
    writer.LeaveOut("Expect");
  } else {
    writer.LeaveOut(kContentType);
  }
  WriteAttempt(assignment, writer);
  const std::string_view body = hop.has_body ? std::string_view(request.body()) : "";
  if (signer != nullptr) WriteSignature(key, body, *signer, now, writer);
  return writer.Take();
}

}  // namespace jobrunner::workers
