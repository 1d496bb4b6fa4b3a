#include "storage/record_codec.h"

#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "jobrunner/storage/v1/record.pb.h"

namespace jobrunner::storage {
namespace {

using base::WallTime;
using engine::JobChange;
using engine::JobTransition;
using std::chrono::nanoseconds;

// A change's transition is in the low bits, then these.
constexpr uint32_t kTransitionMask = 7;
constexpr uint32_t kLost = 8;
constexpr uint32_t kOwnDeadline = 16;

static_assert(static_cast<int>(JobTransition::kStart) == v1::TRANSITION_START);
static_assert(static_cast<int>(JobTransition::kSucceed) == v1::TRANSITION_SUCCEED);
static_assert(static_cast<int>(JobTransition::kFailForGood) == v1::TRANSITION_FAIL_FOR_GOOD);
static_assert(static_cast<int>(JobTransition::kCancel) == v1::TRANSITION_CANCEL);
static_assert(static_cast<int>(JobTransition::kRetryAt) == v1::TRANSITION_RETRY_AT);
static_assert(static_cast<int>(JobTransition::kRequeue) == v1::TRANSITION_REQUEUE);
static_assert(static_cast<int>(JobTransition::kPutBack) == v1::TRANSITION_PUT_BACK);

int64_t ToNumber(WallTime time) { return time.time_since_epoch().count(); }
WallTime ToTime(int64_t number) { return WallTime(nanoseconds(number)); }

// Sums of numbers from outside, which may not fit: they wrap, as their differences did.
int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("a stored ", absl::string_view(what.data(), what.size()), " is damaged"));
}

template <typename Message>
absl::StatusOr<Message> Parse(std::string_view bytes, std::string_view what) {
  Message message;
  const bool whole = bytes.size() <= std::numeric_limits<int>::max() &&
                     message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!whole) return Damaged(what);
  return message;
}

bool HasResult(JobTransition transition) {
  return transition == JobTransition::kSucceed || transition == JobTransition::kFailForGood ||
         transition == JobTransition::kCancel;
}

void EncodeShard(const engine::Shard& shard, v1::Shard* out) {
  out->set_job_count(shard.count);
  const engine::ShardTiming& timing = shard.timing;
  const auto set = [](nanoseconds duration) { return duration != nanoseconds::max(); };
  if (set(timing.start_timeout_min)) out->set_start_timeout_min(timing.start_timeout_min.count());
  if (set(timing.total_timeout_min)) out->set_total_timeout_min(timing.total_timeout_min.count());
  if (set(timing.delay_min)) out->set_delay_min(timing.delay_min.count());
  out->set_delay_unset(timing.delay_unset);
}

engine::ShardTiming DecodeTiming(const v1::Shard& in) {
  engine::ShardTiming timing;
  if (in.has_start_timeout_min()) timing.start_timeout_min = nanoseconds(in.start_timeout_min());
  if (in.has_total_timeout_min()) timing.total_timeout_min = nanoseconds(in.total_timeout_min());
  if (in.has_delay_min()) timing.delay_min = nanoseconds(in.delay_min());
  timing.delay_unset = in.delay_unset();
  return timing;
}

// The shards of a header, which have to have all its jobs.
absl::StatusOr<std::vector<engine::Shard>> DecodeShards(const v1::Header& in) {
  std::vector<engine::Shard> shards;
  shards.reserve(in.shards_size());
  int64_t next_index = 0;
  for (const v1::Shard& shard : in.shards()) {
    if (shard.job_count() < 1 || next_index + shard.job_count() > in.job_count()) {
      return Damaged("table of shards");
    }
    shards.push_back(
        {static_cast<int32_t>(next_index), shard.job_count(), nullptr, DecodeTiming(shard)});
    next_index += shard.job_count();
  }
  if (next_index != in.job_count()) return Damaged("table of shards");
  return shards;
}

void EncodeRemoteStarts(const std::vector<JobChange>& changes, v1::Changed* out) {
  uint32_t last_position = 0;
  uint64_t last_number = 0;
  for (uint32_t i = 0; i < changes.size(); ++i) {
    if (changes[i].remote_number == 0) continue;
    out->add_remote_position_deltas(i - std::exchange(last_position, i));
    out->add_remote_number_deltas(static_cast<int64_t>(
        changes[i].remote_number - std::exchange(last_number, changes[i].remote_number)));
    out->set_remote_epoch(changes[i].remote_epoch);
  }
}

absl::Status DecodeRemoteStarts(const v1::Changed& in, std::vector<JobChange>* changes) {
  if (in.remote_position_deltas_size() != in.remote_number_deltas_size()) {
    return Damaged("list of remote starts");
  }
  uint64_t position = 0;
  uint64_t number = 0;
  for (int i = 0; i < in.remote_position_deltas_size(); ++i) {
    position += in.remote_position_deltas(i);
    number += static_cast<uint64_t>(in.remote_number_deltas(i));
    const bool is_start =
        position < changes->size() && (*changes)[position].transition == JobTransition::kStart;
    if (!is_start) return Damaged("list of remote starts");
    (*changes)[position].remote_number = number;
    (*changes)[position].remote_epoch = in.remote_epoch();
  }
  return absl::OkStatus();
}

void EncodeChanges(const engine::Changed& changed, int64_t first_sequence, v1::Changed* out) {
  const int size = static_cast<int>(changed.changes.size());
  out->mutable_index_deltas()->Reserve(size);
  out->mutable_transitions()->Reserve(size);
  int32_t index = 0;
  int64_t result_sequence = first_sequence;
  for (const JobChange& change : changed.changes) {
    out->add_index_deltas(change.index - std::exchange(index, change.index));
    out->add_transitions(static_cast<uint32_t>(change.transition) | (change.lost ? kLost : 0) |
                         (change.own_deadline ? kOwnDeadline : 0));
    if (HasResult(change.transition)) {
      out->add_result_sequence_deltas(
          Minus(change.result_sequence, std::exchange(result_sequence, change.result_sequence)));
    } else if (change.transition == JobTransition::kRetryAt) {
      out->add_waits(Minus(ToNumber(change.not_before), ToNumber(changed.time)));
    }
  }
  EncodeRemoteStarts(changed.changes, out);
}

// Reads the columns of a Changed side by side.
class ChangeReader {
 public:
  explicit ChangeReader(const v1::Changed& in) : in_(in), result_sequence_(in.first_sequence()) {}

  absl::StatusOr<std::vector<JobChange>> ReadAll() {
    if (in_.transitions_size() != in_.index_deltas_size()) return Damaged("list of changes");
    std::vector<JobChange> changes(in_.index_deltas_size());
    for (int i = 0; i < in_.index_deltas_size(); ++i) {
      if (!Read(i, &changes[i])) return Damaged("list of changes");
    }
    const bool all_read =
        results_ == in_.result_sequence_deltas_size() && waits_ == in_.waits_size();
    if (!all_read) return Damaged("list of changes");
    return changes;
  }

 private:
  bool Read(int i, JobChange* change) {
    const uint32_t transition = in_.transitions(i);
    index_ += in_.index_deltas(i);
    const bool known = (transition & kTransitionMask) <= v1::TRANSITION_PUT_BACK &&
                       transition <= (kTransitionMask | kLost | kOwnDeadline);
    if (!known || index_ < 0 || index_ > std::numeric_limits<int32_t>::max()) return false;
    change->index = static_cast<int32_t>(index_);
    change->transition = static_cast<JobTransition>(transition & kTransitionMask);
    change->lost = (transition & kLost) != 0;
    change->own_deadline = (transition & kOwnDeadline) != 0;
    if (HasResult(change->transition)) {
      if (results_ == in_.result_sequence_deltas_size()) return false;
      result_sequence_ = Plus(result_sequence_, in_.result_sequence_deltas(results_++));
      change->result_sequence = result_sequence_;
    } else if (change->transition == JobTransition::kRetryAt) {
      if (waits_ == in_.waits_size()) return false;
      change->not_before = ToTime(Plus(in_.time(), in_.waits(waits_++)));
    }
    return true;
  }

  const v1::Changed& in_;
  int64_t index_ = 0;
  int64_t result_sequence_;
  int results_ = 0;
  int waits_ = 0;
};

absl::StatusOr<StoredRecord> DecodeChanged(const v1::Changed& in) {
  if (in.event_count() < 0 || in.first_sequence() < 0) return Damaged("record");
  engine::Changed changed;
  changed.time = ToTime(in.time());
  ASSIGN_OR_RETURN(changed.changes, ChangeReader(in).ReadAll());
  RETURN_IF_ERROR(DecodeRemoteStarts(in, &changed.changes));
  if (in.has_finish()) {
    changed.finish = engine::Finish{in.finish().state(), ToTime(in.finish().time()),
                                    ToTime(in.finish().expire_time())};
  }
  return StoredRecord{std::move(changed), in.first_sequence(), in.event_count()};
}

StoredRecord DecodeCancel(v1::CancelRequested* in) {
  engine::CancelRequested cancel;
  cancel.time = ToTime(in->time());
  cancel.indexes.assign(in->indexes().begin(), in->indexes().end());
  cancel.error = std::move(*in->mutable_error());
  return {std::move(cancel)};
}

}  // namespace

std::string Encode(const StoreState& store) {
  v1::Store out;
  out.set_format(store.format);
  out.set_epoch(store.epoch);
  return out.SerializeAsString();
}

absl::StatusOr<StoreState> DecodeStoreState(std::string_view bytes) {
  ASSIGN_OR_RETURN(const auto in, Parse<v1::Store>(bytes, "description of the store"));
  if (in.format() == 0) return Damaged("description of the store");
  return StoreState{in.format(), in.epoch()};
}

std::string Encode(const engine::Accepted& accepted) {
  const engine::BatchHeader& header = *accepted.header;
  v1::Header out;
  out.set_id(header.id);
  out.set_request_id(header.request_id);
  out.set_fingerprint(header.fingerprint);
  *out.mutable_spec() = header.spec;
  *out.mutable_defaults() = header.defaults;
  out.set_job_count(header.job_count);
  out.set_create_time(ToNumber(header.create_time));
  if (header.deadline != WallTime::max()) out.set_deadline(ToNumber(header.deadline));
  out.set_deadline_reason(header.deadline_reason);
  out.set_bound_to_call(header.bound_to_call);
  for (const engine::Shard& shard : accepted.shards) EncodeShard(shard, out.add_shards());
  out.mutable_needs()->Add(header.needs.begin(), header.needs.end());
  return out.SerializeAsString();
}

absl::StatusOr<engine::Accepted> DecodeAccepted(std::string_view bytes) {
  ASSIGN_OR_RETURN(auto in, Parse<v1::Header>(bytes, "header"));
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = in.id();
  header->request_id = in.request_id();
  header->fingerprint = in.fingerprint();
  header->spec = std::move(*in.mutable_spec());
  header->defaults = std::move(*in.mutable_defaults());
  header->job_count = in.job_count();
  header->create_time = ToTime(in.create_time());
  if (in.has_deadline()) header->deadline = ToTime(in.deadline());
  header->deadline_reason = in.deadline_reason();
  header->bound_to_call = in.bound_to_call();
  header->needs.assign(in.needs().begin(), in.needs().end());
  engine::Accepted accepted;
  ASSIGN_OR_RETURN(accepted.shards, DecodeShards(in));
  accepted.header = std::move(header);
  return accepted;
}

std::string Encode(const engine::Changed& changed) {
  v1::Record out;
  v1::Changed& to = *out.mutable_changed();
  to.set_time(ToNumber(changed.time));
  if (changed.segment != nullptr) {
    to.set_first_sequence(changed.segment->first_sequence());
    to.set_event_count(changed.segment->size());
  }
  EncodeChanges(changed, to.first_sequence(), &to);
  if (changed.finish) {
    to.mutable_finish()->set_state(changed.finish->state);
    to.mutable_finish()->set_time(ToNumber(changed.finish->time));
    to.mutable_finish()->set_expire_time(ToNumber(changed.finish->expire_time));
  }
  return out.SerializeAsString();
}

std::string Encode(const engine::CancelRequested& cancel) {
  v1::Record out;
  v1::CancelRequested& to = *out.mutable_cancel_requested();
  to.set_time(ToNumber(cancel.time));
  to.mutable_indexes()->Add(cancel.indexes.begin(), cancel.indexes.end());
  *to.mutable_error() = cancel.error;
  return out.SerializeAsString();
}

absl::StatusOr<StoredRecord> DecodeRecord(std::string_view bytes) {
  ASSIGN_OR_RETURN(auto in, Parse<v1::Record>(bytes, "record"));
  switch (in.kind_case()) {
    case v1::Record::kChanged:
      return DecodeChanged(in.changed());
    case v1::Record::kCancelRequested:
      return DecodeCancel(in.mutable_cancel_requested());
    case v1::Record::KIND_NOT_SET:
      break;
  }
  return Damaged("record");
}

std::string Encode(const Summary& summary) {
  v1::Summary out;
  *out.mutable_batch() = summary.batch;
  out.set_request_id(summary.request_id);
  out.set_expire_time(ToNumber(summary.expire_time));
  return out.SerializeAsString();
}

absl::StatusOr<Summary> DecodeSummary(std::string_view bytes) {
  ASSIGN_OR_RETURN(auto in, Parse<v1::Summary>(bytes, "summary"));
  return Summary{std::move(*in.mutable_batch()), in.request_id(), ToTime(in.expire_time())};
}

std::string Encode(const StoredRequest& request) {
  v1::Request out;
  out.set_batch_id(request.known.batch_id);
  out.set_fingerprint(request.known.fingerprint);
  if (request.keep_until) out.set_keep_until(ToNumber(*request.keep_until));
  if (request.known.removed) *out.mutable_removed() = *request.known.removed;
  return out.SerializeAsString();
}

absl::StatusOr<StoredRequest> DecodeRequest(std::string_view bytes) {
  ASSIGN_OR_RETURN(auto in, Parse<v1::Request>(bytes, "request"));
  StoredRequest request;
  request.known.batch_id = in.batch_id();
  request.known.fingerprint = in.fingerprint();
  if (in.has_removed()) request.known.removed = std::move(*in.mutable_removed());
  if (in.has_keep_until()) request.keep_until = ToTime(in.keep_until());
  return request;
}

}  // namespace jobrunner::storage
