#include "engine/finished_notice.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "google/protobuf/util/json_util.h"

namespace jobrunner::engine {
namespace {

std::string Json(const v1::Batch& batch) {
  google::protobuf::util::JsonPrintOptions options;
  // "failed": "0" is news too.
  options.always_print_primitive_fields = true;
  std::string json;
  // Only a time out of its range cannot be printed, and these are the engine's own.
  JOBRUNNER_CHECK(google::protobuf::util::MessageToJsonString(batch, &json, options).ok());
  return json;
}

v1::JobOptions Options() {
  v1::JobOptions options;
  *options.mutable_timeout() = ToDuration(kNoticeTimeout);
  v1::RetryPolicy& policy = *options.mutable_retry_policy();
  policy.set_max_attempts(kNoticeAttemptsMax);
  *policy.mutable_initial_backoff() = ToDuration(kNoticeBackoffInitial);
  *policy.mutable_max_backoff() = ToDuration(kNoticeBackoffMax);
  return options;
}

}  // namespace

v1::BatchSpec FinishedNotice(const v1::Batch& batch, const v1::BatchSpec& spec) {
  v1::BatchSpec notice;
  notice.set_name(absl::StrCat("finished ", batch.id()));
  *notice.mutable_labels() = spec.labels();
  notice.set_queue(batch.queue());
  notice.set_priority(spec.priority());
  notice.set_parent_id(batch.id());
  v1::Job& job = *notice.add_jobs();
  *job.mutable_options() = Options();
  v1::HttpRequest& request = *job.mutable_http();
  request.set_method("POST");
  request.set_url(spec.finished_url());
  (*request.mutable_headers())["Content-Type"] = "application/json";
  request.set_body(Json(batch));
  request.set_idempotency_key(batch.id());
  return notice;
}

}  // namespace jobrunner::engine
