#include "rpc/order_writer.h"

#include <algorithm>
#include <utility>

#include "engine/limits.h"
#include "engine/proto_time.h"
#include "rpc/gathered_message.h"
#include "rpc/message_bytes.h"

namespace jobrunner::rpc {
namespace {

using v1::WorkResponse;

// An id in a list: its tag, its length, itself.
constexpr int64_t kListedIdBytesMax = AssignmentId::kBytesMax + 2;
static_assert(engine::kWorkerSlotsMax * kListedIdBytesMax + 1024 <= engine::kMessageBytesMax,
              "all that a worker holds must fit a LeaseCheck");

std::string Text(const AssignmentId& id) { return std::string(id.text()); }

grpc::ByteBuffer StopMessage(const std::vector<std::string>& ids, std::chrono::nanoseconds grace) {
  WorkResponse response;
  v1::StopAttempts& stop = *response.mutable_stop();
  for (const std::string& id : ids) stop.add_assignment_ids(id);
  *stop.mutable_grace_period() = engine::ToDuration(grace);
  return SerializeMessage(response);
}

}  // namespace

void OrderWriter::Expect(std::string session_id, IdsByToken brought) {
  session_id_ = std::move(session_id);
  brought_ = std::move(brought);
}

void OrderWriter::Take(engine::RemoteOrders orders) {
  orders_ = std::move(orders);
  starts_written_ = 0;
  acknowledgements_written_ = 0;
}

OrderWriter::Message OrderWriter::Next() {
  if (Message message = NextOrder()) return message;
  if (!unknown_held_.empty()) return StopUnknown();
  if (!unknown_ended_.empty()) return RefuseUnknown();
  if (draining_ && welcomed_) return SayDrain();
  return std::nullopt;
}

OrderWriter::Message OrderWriter::NextOrder() {
  if (!orders_.welcomes.empty()) return Welcome();
  while (!orders_.stops.empty()) {
    if (Message message = Stop()) return message;
  }
  if (starts_written_ < orders_.starts.size()) return Assign();
  if (acknowledgements_written_ < orders_.acknowledgements.size()) {
    if (Message message = Acknowledge()) return message;
  }
  if (!orders_.checks.empty()) return Check();
  return std::nullopt;
}

OrderWriter::Message OrderWriter::Welcome() {
  const base::SteadyTime now = parts_.clock->Read().steady;
  WorkResponse response;
  v1::WorkerWelcome& welcome = *response.mutable_welcome();
  welcome.set_session_id(session_id_);
  *welcome.mutable_lease() = engine::ToDuration(parts_.lease);
  for (const engine::Claim& claim : orders_.welcomes.front().claims) {
    const auto brought = brought_.find(claim.held);
    if (brought == brought_.end()) continue;
    welcome.add_assignment_ids(Text(brought->second));
    // Whether its output is wanted, the engine knows.
    parts_.table->Add(
        {.id = brought->second, .token = claim.token, .since = now, .stream_output = true});
  }
  welcomed_ = true;
  brought_ = {};
  orders_.welcomes.clear();
  return SerializeMessage(response);
}

// Those of one grace go in one message.
OrderWriter::Message OrderWriter::Stop() {
  const std::chrono::nanoseconds grace = orders_.stops.front().grace;
  std::vector<std::string> ids;
  std::erase_if(orders_.stops, [&](const engine::StopOrder& stop) {
    if (stop.grace != grace) return false;
    // Else it has ended.
    if (const auto* entry = parts_.table->Of(stop.token)) ids.push_back(Text(entry->id));
    return true;
  });
  if (ids.empty()) return std::nullopt;
  return StopMessage(ids, grace);
}

OrderWriter::Message OrderWriter::Assign() {
  const base::Now now = parts_.clock->Read();
  GatheredMessage message(WorkResponse::kAssignmentsFieldNumber);
  for (; starts_written_ < orders_.starts.size(); ++starts_written_) {
    engine::Assignment& start = orders_.starts[starts_written_];
    const AssignmentId id(start.batch_id(), start.index, start.token);
    Describe(id, start, now);
    if (!message.HasRoomFor(scratch_.ByteSizeLong())) break;
    message.Add(v1::Assignments::kAssignmentsFieldNumber, scratch_);
    parts_.table->Add({.id = id,
                       .token = start.token,
                       .since = now.steady,
                       .after_check = last_check_,
                       .stream_output = start.stream_output});
    // The job's memory is needed no more.
    start.jobs = nullptr;
  }
  return message.Build();
}

void OrderWriter::Describe(const AssignmentId& id, const engine::Assignment& start,
                           const base::Now& now) {
  const v1::Job& job = start.job();
  const std::string_view text = id.text();
  scratch_.set_assignment_id(text.data(), text.size());
  const std::string_view batch_id = start.batch_id();
  scratch_.set_batch_id(batch_id.data(), batch_id.size());
  scratch_.set_job_index(start.index);
  scratch_.set_job_key(job.key());
  scratch_.set_attempt(start.attempt);
  if (job.has_command()) {
    *scratch_.mutable_command() = job.command();
  } else {
    *scratch_.mutable_handler() = job.handler();
  }
  scratch_.set_stream_output(start.stream_output);
  if (start.deadline == base::SteadyTime::max()) {
    scratch_.clear_time_left();
    scratch_.clear_deadline();
    return;
  }
  const auto left = std::max(start.deadline - now.steady, std::chrono::nanoseconds(0));
  *scratch_.mutable_time_left() = engine::ToDuration(left);
  *scratch_.mutable_deadline() = engine::ToTimestamp(start.wall_deadline);
}

OrderWriter::Message OrderWriter::Acknowledge() {
  using v1::AcknowledgedOutcomes;
  GatheredMessage message(WorkResponse::kAcknowledgedFieldNumber);
  for (; acknowledgements_written_ < orders_.acknowledgements.size(); ++acknowledgements_written_) {
    const engine::Acknowledgement& one = orders_.acknowledgements[acknowledgements_written_];
    const auto* entry = parts_.table->Of(one.token);
    if (entry == nullptr) continue;
    if (!message.HasRoomFor(2 * kListedIdBytesMax)) break;
    message.Add(AcknowledgedOutcomes::kAssignmentIdsFieldNumber, entry->id.text());
    if (!one.accepted) {
      message.Add(AcknowledgedOutcomes::kRefusedIdsFieldNumber, entry->id.text());
    }
    parts_.table->Remove(one.token);
  }
  if (message.empty()) return std::nullopt;
  return message.Build();
}

OrderWriter::Message OrderWriter::Check() {
  // Only the last one is to be answered, if several wait.
  const engine::WorkerCheck check = std::move(orders_.checks.back());
  orders_.checks.clear();
  WorkResponse response;
  v1::LeaseCheck& message = *response.mutable_lease_check();
  message.set_number(check.number);
  const auto name = [&](const engine::AttemptToken& token) {
    AssignmentTable::Entry* const entry = parts_.table->Of(token);
    if (entry == nullptr || entry->checked == check.number) return;
    entry->checked = check.number;
    message.add_assignment_ids(Text(entry->id));
  };
  for (const engine::AttemptToken& token : check.held) name(token);
  // The Step that checks may start more after that. They went out before this message.
  for (const engine::Assignment& start : orders_.starts) name(start.token);
  last_check_ = check.number;
  return SerializeMessage(response);
}

OrderWriter::Message OrderWriter::StopUnknown() {
  const auto from =
      unknown_held_.end() - std::min<int64_t>(unknown_held_.size(), engine::kWorkerSlotsMax);
  const std::vector<std::string> ids(from, unknown_held_.end());
  unknown_held_.erase(from, unknown_held_.end());
  return StopMessage(ids, std::chrono::nanoseconds(0));
}

OrderWriter::Message OrderWriter::RefuseUnknown() {
  using v1::AcknowledgedOutcomes;
  GatheredMessage message(WorkResponse::kAcknowledgedFieldNumber);
  while (!unknown_ended_.empty() && message.HasRoomFor(2 * kListedIdBytesMax)) {
    message.Add(AcknowledgedOutcomes::kAssignmentIdsFieldNumber, unknown_ended_.back());
    message.Add(AcknowledgedOutcomes::kRefusedIdsFieldNumber, unknown_ended_.back());
    unknown_ended_.pop_back();
  }
  return message.Build();
}

OrderWriter::Message OrderWriter::SayDrain() {
  draining_ = false;
  WorkResponse response;
  response.mutable_drain();
  return SerializeMessage(response);
}

}  // namespace jobrunner::rpc
