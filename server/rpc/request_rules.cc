#include "rpc/request_rules.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "engine/field_rules.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "google/protobuf/stubs/common.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

// Of an id that is none, in a message.
constexpr size_t kIdShownMax = 64;

std::string FieldAt(std::string_view field, int index) {
  return absl::StrCat(std::string(field), "[", index, "]");
}

absl::Status CheckIndexes(const google::protobuf::RepeatedField<int32_t>& indexes) {
  if (indexes.size() > engine::kJobIndexesMax) {
    return InvalidField("job_indexes", absl::StrCat("has ", indexes.size(), " indexes, at most ",
                                                    engine::kJobIndexesMax, " are allowed"));
  }
  for (int i = 0; i < indexes.size(); ++i) {
    if (indexes.Get(i) < 0) return InvalidField(FieldAt("job_indexes", i), "must not be negative");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBatchId(std::string_view batch_id) {
  if (base::IsUuid(batch_id)) return absl::OkStatus();
  const std::string shown(batch_id.substr(0, kIdShownMax));
  return engine::Refuse(absl::StatusCode::kNotFound, "BATCH_NOT_FOUND",
                        absl::StrCat("there is no batch \"", absl::CEscape(shown), "\""));
}

absl::StatusOr<int32_t> PageSize(int32_t page_size) {
  if (page_size < 0) return InvalidField("page_size", "must not be negative");
  if (page_size == 0) return engine::kPageSizeDefault;
  return std::min(page_size, engine::kPageSizeMax);
}

absl::StatusOr<std::chrono::nanoseconds> GracePeriod(bool is_set,
                                                     const google::protobuf::Duration& duration,
                                                     std::chrono::nanoseconds unset) {
  if (!is_set) return unset;
  engine::Violations violations;
  engine::CheckNotNegative(engine::FieldPath("grace_period"), duration, &violations);
  RETURN_IF_ERROR(ToStatus(violations));
  const std::chrono::nanoseconds grace = engine::FromDuration(duration);
  if (grace > engine::kGraceMax) return InvalidField("grace_period", "must be at most one hour");
  return grace;
}

absl::Status CheckChoices(std::string_view field,
                          const google::protobuf::RepeatedField<int>& values,
                          bool (*is_valid)(int)) {
  for (int i = 0; i < values.size(); ++i) {
    if (values.Get(i) != 0 && is_valid(values.Get(i))) continue;
    return InvalidField(FieldAt(field, i),
                        absl::StrCat("is ", values.Get(i), ", which says nothing"));
  }
  return absl::OkStatus();
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (static_cast<int64_t>(request_id.size()) > engine::kRequestIdBytesMax) {
    return InvalidField("request_id", absl::StrCat("has ", request_id.size(), " bytes, at most ",
                                                   engine::kRequestIdBytesMax, " are allowed"));
  }
  if (!google::protobuf::internal::IsStructurallyValidUTF8(request_id)) {
    return InvalidField("request_id", "is not UTF-8");
  }
  return absl::OkStatus();
}

absl::Status CheckCancel(const v1::CancelRequest& request) {
  RETURN_IF_ERROR(CheckBatchId(request.batch_id()));
  RETURN_IF_ERROR(CheckIndexes(request.job_indexes()));
  if (static_cast<int64_t>(request.reason().size()) > engine::kCancelReasonBytesMax) {
    return InvalidField("reason", absl::StrCat("has ", request.reason().size(), " bytes, at most ",
                                               engine::kCancelReasonBytesMax, " are allowed"));
  }
  return absl::OkStatus();
}

absl::Status CheckRetryJobs(const v1::RetryJobsRequest& request) {
  RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  RETURN_IF_ERROR(CheckBatchId(request.batch_id()));
  return CheckIndexes(request.job_indexes());
}

absl::Status CheckStreamResults(const v1::StreamResultsRequest& request) {
  RETURN_IF_ERROR(CheckBatchId(request.batch_id()));
  if (request.after_sequence() < 0) return InvalidField("after_sequence", "must not be negative");
  if (request.cancel_on_disconnect() && !request.follow()) {
    return InvalidField("cancel_on_disconnect",
                        "needs follow: a stream that does not follow ends "
                        "by itself");
  }
  return CheckChoices("kinds", request.kinds(), v1::EventKind_IsValid);
}

}  // namespace jobrunner::rpc
