#include "engine/validation.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/array_jobs.h"
#include "engine/field_rules.h"
#include "engine/http_rules.h"
#include "engine/job_rules.h"
#include "engine/option_rules.h"

namespace jobrunner::engine {
namespace {

void CheckLabels(const FieldPath& path, const v1::BatchSpec& spec, Violations* violations) {
  if (spec.labels_size() > kLabelsMax) {
    violations->Add(
        FieldPath(path, "labels"),
        absl::StrFormat("has %d labels, at most %d are allowed", spec.labels_size(), kLabelsMax));
  }
  for (const auto& [key, value] : spec.labels()) {
    const FieldPath label(path, "labels", key);
    if (!IsLabelKey(key) || key.size() > kLabelKeyBytesMax) {
      violations->Add(label, "a label's key is [a-z0-9]([a-z0-9._/-]*[a-z0-9])?, at most 63 bytes");
    }
    CheckLength(label, value, kLabelValueBytesMax, violations);
  }
}

void CheckChoices(const FieldPath& path, const v1::BatchSpec& spec, Violations* violations) {
  if (!v1::FailurePolicy_IsValid(spec.failure_policy())) {
    violations->Add(FieldPath(path, "failure_policy"), "is not a FailurePolicy known here");
  }
  if (!v1::Lifetime_IsValid(spec.lifetime())) {
    violations->Add(FieldPath(path, "lifetime"), "is not a Lifetime known here");
  }
}

std::string_view ViewOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// "command.argv[0]: not allowed" as a path and a reason; all of it is the reason if it has no path.
struct PathAndReason {
  std::string_view path;
  std::string_view reason;
};
PathAndReason SplitMessage(std::string_view message) {
  const size_t colon = message.find(": ");
  if (colon == std::string_view::npos) return {"work", message};
  return {message.substr(0, colon), message.substr(colon + 2)};
}

}  // namespace

BatchValidator::BatchValidator(std::string_view prefix, const ValidationLimits& limits,
                               const WorkCatalog& catalog, Violations* violations, JobsFrom from)
    : path_(prefix), limits_(limits), catalog_(catalog), violations_(violations), from_(from) {}

void BatchValidator::CheckSpec(const v1::BatchSpec& spec) {
  CheckName(FieldPath(path_, "name"), spec.name(), kNameBytesMax, violations_);
  CheckLabels(path_, spec, violations_);
  CheckRange(FieldPath(path_, "priority"), spec.priority(), -kPriorityMax, kPriorityMax,
             violations_);
  CheckOptions(FieldPath(path_, "job_defaults"), spec.job_defaults(), violations_);
  if (spec.has_timeout()) CheckPositive(FieldPath(path_, "timeout"), spec.timeout(), violations_);
  if (spec.max_parallelism() < 0) {
    violations_->Add(FieldPath(path_, "max_parallelism"), "must not be negative");
  }
  CheckChoices(path_, spec, violations_);
  if (!spec.parent_id().empty()) {
    violations_->Add(FieldPath(path_, "parent_id"), "is set by the server alone");
  }
  if (!spec.finished_url().empty()) CheckFinishedUrl(spec.finished_url());
  if (spec.has_retention()) {
    CheckNotNegative(FieldPath(path_, "retention"), spec.retention(), violations_);
  }
  CheckLength(FieldPath(path_, "fairness_key"), spec.fairness_key(), kNameBytesMax, violations_);
}

void BatchValidator::CheckCount(int64_t job_count) {
  const FieldPath path(path_, "jobs");
  if (job_count == 0) violations_->Add(path, "is empty: a batch has at least one job");
  if (job_count > limits_.jobs_per_batch_max) {
    violations_->Add(path, absl::StrFormat("has %d jobs, at most %d are allowed", job_count,
                                           limits_.jobs_per_batch_max));
  }
}

void BatchValidator::CheckBytes(int64_t stored_bytes, int64_t bytes_max) {
  if (stored_bytes <= bytes_max) return;
  violations_->Add(
      FieldPath(path_, "jobs"),
      absl::StrFormat("take more than the %d bytes that are allowed as they are stored",
                      bytes_max));
}

void BatchValidator::CheckJob(int32_t position, const v1::Job& job) {
  const FieldPath path(path_, "jobs", position);
  if (job.array_begin() != 0) {
    violations_->Add(FieldPath(path, "array_begin"), "is not to be set in a request");
  }
  if (from_ == JobsFrom::kClient && !job.http().idempotency_key().empty()) {
    violations_->Add(FieldPath(FieldPath(path, "http"), "idempotency_key"),
                     "is not to be set in a request");
  }
  if (IsArray(job)) return CheckArray(path, job);
  CheckOne(path, job);
  if (!job.key().empty()) CheckKeyIsNew(path, job.key());
}

void BatchValidator::CheckArray(const FieldPath& path, const v1::Job& array) {
  // CheckCount says so.
  if (array.count() > limits_.jobs_per_batch_max) return;
  v1::Job last;
  ExpandElement(array, array.count() - 1, &last);
  CheckOne(path, last);
  if (array.key().empty()) return;
  const int64_t before = violations_->count();
  for (int32_t i = 0; i < array.count() && violations_->count() == before; ++i) {
    CheckKeyIsNew(path, absl::StrCat(array.key(), "[", i, "]"));
  }
}

void BatchValidator::CheckOne(const FieldPath& path, const v1::Job& job) {
  const int64_t before = violations_->count();
  CheckWork(path, job, limits_.payload_bytes_max, violations_);
  if (job.has_options()) CheckOptions(FieldPath(path, "options"), job.options(), violations_);
  // The catalog can rely on work that is in order.
  if (violations_->count() == before) AskCatalog(path, job);
}

void BatchValidator::CheckKeyIsNew(const FieldPath& job_path, const std::string& key) {
  if (keys_.Add(key)) return;
  violations_->Add(FieldPath(job_path, "key"), "is that of another job of the batch");
}

// As the URL of the job that it will be.
void BatchValidator::CheckFinishedUrl(const std::string& url) {
  const FieldPath path(path_, "finished_url");
  const int64_t before = violations_->count();
  CheckUrl(path, url, violations_);
  if (violations_->count() != before) return;
  v1::Job notice;
  notice.mutable_http()->set_url(url);
  const absl::Status status = catalog_.Check(notice);
  if (!status.ok()) AddRefusal(path, status, SplitMessage(ViewOf(status)).reason);
}

void BatchValidator::AskCatalog(const FieldPath& job_path, const v1::Job& job) {
  // Thousands of jobs may ask the same URL, with a body each.
  if (job.has_http() && job.http().url() == allowed_url_) return;
  const absl::Status status = catalog_.Check(job);
  if (status.ok() && job.has_http()) allowed_url_ = job.http().url();
  if (status.ok()) return;
  const auto [path, reason] = SplitMessage(ViewOf(status));
  AddRefusal(FieldPath(job_path, path), status, reason);
}

void BatchValidator::AddRefusal(const FieldPath& path, const absl::Status& status,
                                std::string_view reason) {
  if (absl::IsPermissionDenied(status)) {
    violations_->AddDenied(path, reason);
  } else {
    violations_->Add(path, reason);
  }
}

}  // namespace jobrunner::engine
