#include "rpc/connected_worker.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/check.h"
#include "engine/shard_jobs.h"
#include "google/protobuf/text_format.h"
#include "rpc/message_bytes.h"

namespace jobrunner::rpc {
namespace {

constexpr char kBatch[] = "0193f2a1-7c00-7abc-8def-0123456789ab";

}  // namespace

void ListeningEngine::Finished(engine::Outcome outcome) { inputs_.push_back(std::move(outcome)); }

void ListeningEngine::Finished(std::vector<engine::Outcome> outcomes) {
  inputs_.push_back(std::move(outcomes));
}

void ListeningEngine::SlotReturned(engine::AttemptToken token) {
  inputs_.push_back(engine::SlotReturned{token});
}

void ListeningEngine::Wrote(engine::OutputChunk chunk) { inputs_.push_back(std::move(chunk)); }

void ListeningEngine::Progressed(engine::ProgressReport report) {
  inputs_.push_back(std::move(report));
}

std::vector<engine::Outcome> ListeningEngine::TakeOutcomes() {
  std::vector<engine::Outcome> all;
  for (auto& outcomes : Take<std::vector<engine::Outcome>>()) {
    for (engine::Outcome& outcome : outcomes) all.push_back(std::move(outcome));
  }
  return all;
}

v1::WorkerHello HelloOf(const std::string& name) {
  v1::WorkerHello hello;
  hello.set_name(name);
  hello.add_handlers("resize");
  hello.set_slots(10);
  return hello;
}

engine::AttemptToken TokenOf(uint64_t number) {
  return {.epoch = 1, .slot = static_cast<uint32_t>(number), .number = number};
}

std::string IdOf(uint64_t number) {
  return std::string(AssignmentId(kBatch, static_cast<int32_t>(number), TokenOf(number)).text());
}

engine::Assignment StartOf(uint64_t number, const std::string& payload) {
  v1::BatchSpec spec;
  v1::Job& job = *spec.add_jobs();
  job.set_key("key");
  job.mutable_handler()->set_name("resize");
  job.mutable_handler()->set_payload(payload);
  const auto index = static_cast<int32_t>(number);
  auto jobs = engine::ShardJobs::Parse(kBatch, index, spec.SerializeAsString());
  JOBRUNNER_CHECK(jobs.ok());
  engine::Assignment start;
  start.token = TokenOf(number);
  start.jobs = *std::move(jobs);
  start.index = index;
  return start;
}

ConnectedWorker::ConnectedWorker(Sessions* with)
    : with_(*with),
      session_(std::make_shared<WorkerSession>(&with->sessions, [this] { ++wakes_; })) {}

absl::Status ConnectedWorker::Send(const std::string& text) {
  v1::WorkRequest message;
  JOBRUNNER_CHECK(google::protobuf::TextFormat::ParseFromString(text, &message));
  return Send(std::move(message));
}

void ConnectedWorker::Join(v1::WorkerHello hello) {
  v1::WorkRequest message;
  *message.mutable_hello() = std::move(hello);
  const absl::Status status = Send(std::move(message));
  ASSERT_TRUE(status.ok()) << status;
}

v1::WorkerWelcome ConnectedWorker::Enter(v1::WorkerHello hello, std::vector<engine::Claim> claims) {
  Join(std::move(hello));
  id_ = with_.engine.Take<engine::WorkerJoin>().back().worker;
  engine::RemoteOrders orders;
  orders.welcomes.push_back({id_, std::move(claims)});
  Perform(std::move(orders));
  return ReadOne().welcome();
}

std::vector<v1::WorkResponse> ConnectedWorker::Read() {
  std::vector<v1::WorkResponse> messages;
  for (;;) {
    WorkerSession::Next next = session_->NextMessage();
    if (const auto* end = std::get_if<WorkerSession::End>(&next)) {
      ended_ = true;
      end_ = end->status;
      return messages;
    }
    const auto* bytes = std::get_if<grpc::ByteBuffer>(&next);
    if (bytes == nullptr) return messages;
    message_sizes_.push_back(bytes->Length());
    EXPECT_TRUE(ParseMessage(*bytes, &messages.emplace_back()).ok());
  }
}

v1::WorkResponse ConnectedWorker::ReadOne() {
  const auto messages = Read();
  EXPECT_EQ(messages.size(), 1u);
  return messages.empty() ? v1::WorkResponse() : messages.front();
}

void ConnectedWorker::Start(uint64_t number, const std::string& payload, bool stream_output) {
  engine::RemoteOrders orders;
  orders.starts.push_back(StartOf(number, payload));
  orders.starts.back().at = id_;
  orders.starts.back().stream_output = stream_output;
  Perform(std::move(orders));
}

void ConnectedWorker::Stop(uint64_t number, std::chrono::nanoseconds grace) {
  engine::RemoteOrders orders;
  orders.stops.push_back({.token = TokenOf(number), .grace = grace, .at = id_});
  Perform(std::move(orders));
}

void ConnectedWorker::Acknowledge(uint64_t number, bool accepted) {
  engine::RemoteOrders orders;
  orders.acknowledgements.push_back({id_, TokenOf(number), accepted});
  Perform(std::move(orders));
}

void ConnectedWorker::Check(int64_t number, const std::vector<uint64_t>& held) {
  engine::RemoteOrders orders;
  orders.checks.push_back({id_, number, {}});
  for (const uint64_t one : held) orders.checks.back().held.push_back(TokenOf(one));
  Perform(std::move(orders));
}

void ConnectedWorker::End(absl::Status status) {
  engine::RemoteOrders orders;
  orders.ends.push_back({id_, std::move(status)});
  Perform(std::move(orders));
}

}  // namespace jobrunner::rpc
