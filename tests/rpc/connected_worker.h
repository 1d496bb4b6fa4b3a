// Sessions of remote workers without gRPC, over an engine that only listens.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "engine/input.h"
#include "jobrunner/v1/worker_service.pb.h"
#include "rpc/worker_session.h"
#include "rpc/worker_sessions.h"
#include "support/fake_clock.h"

namespace jobrunner::rpc {

// Keeps what it is told. For one thread.
class ListeningEngine final : public engine::AttemptSink {
 public:
  void Finished(engine::Outcome outcome) override;
  void Finished(std::vector<engine::Outcome> outcomes) override;
  void SlotReturned(engine::AttemptToken token) override;
  void Wrote(engine::OutputChunk chunk) override;
  void Progressed(engine::ProgressReport report) override;

  // What it was told of one kind since the last call, in order.
  template <typename Told>
  std::vector<Told> Take() {
    std::vector<Told> taken;
    std::erase_if(inputs_, [&](engine::Input& input) {
      auto* told = std::get_if<Told>(&input);
      if (told != nullptr) taken.push_back(std::move(*told));
      return told != nullptr;
    });
    return taken;
  }
  std::vector<engine::Outcome> TakeOutcomes();
  bool was_told_nothing() const { return inputs_.empty(); }

  WorkerEngine side() {
    return {.tell = [this](engine::Input input) { inputs_.push_back(std::move(input)); },
            .sink = this};
  }

 private:
  std::vector<engine::Input> inputs_;
};

inline constexpr std::chrono::seconds kTestLease{10};

struct Sessions {
  test::FakeClock clock;
  ListeningEngine engine;
  WorkerSessions sessions{{.engine = engine.side(),
                           .clock = &clock,
                           .lease = kTestLease,
                           .own_handlers = {"echo", "sleep"}}};
};

v1::WorkerHello HelloOf(const std::string& name);

// The worker's end of a session: what it sends goes in at once; what was written is read when it
// is asked for.
class ConnectedWorker {
 public:
  explicit ConnectedWorker(Sessions* with);

  absl::Status Send(v1::WorkRequest message) { return session_->Receive(std::move(message)); }
  // As text: "lease_answer { number: 1 }".
  absl::Status Send(const std::string& text);
  // Says hello, and expects that it is taken.
  void Join(v1::WorkerHello hello = HelloOf("w"));
  // Joins, and is welcomed by the engine. The welcome.
  v1::WorkerWelcome Enter(v1::WorkerHello hello = HelloOf("w"),
                          std::vector<engine::Claim> claims = {});

  // All that is there to be read by now.
  std::vector<v1::WorkResponse> Read();
  // The only message there is to be read.
  v1::WorkResponse ReadOne();
  // The same bytes count of each.
  const std::vector<size_t>& message_sizes() const { return message_sizes_; }
  // How the stream was told to end; OK if it was not, too.
  const absl::Status& end() const { return end_; }
  bool ended() const { return ended_; }

  WorkerSession& session() { return *session_; }
  engine::WorkerId id() const { return id_; }
  int wakes() const { return wakes_; }

  // What the engine wants of it.
  void Start(uint64_t number, const std::string& payload = "", bool stream_output = false);
  void Stop(uint64_t number, std::chrono::nanoseconds grace);
  void Acknowledge(uint64_t number, bool accepted = true);
  void Check(int64_t number, const std::vector<uint64_t>& held);
  void End(absl::Status status);
  void Perform(engine::RemoteOrders orders) { with_.sessions.Perform(std::move(orders)); }

 private:
  Sessions& with_;
  int wakes_ = 0;
  std::shared_ptr<WorkerSession> session_;
  engine::WorkerId id_ = engine::kOwnPool;
  std::vector<size_t> message_sizes_;
  absl::Status end_;
  bool ended_ = false;
};

// Of the attempt with that number.
engine::AttemptToken TokenOf(uint64_t number);
std::string IdOf(uint64_t number);
// A start of it: job `number` of the batch.
engine::Assignment StartOf(uint64_t number, const std::string& payload = "");

}  // namespace jobrunner::rpc
