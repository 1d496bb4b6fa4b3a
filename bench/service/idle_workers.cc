#include "bench/service/idle_workers.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "bench/service/benches.h"
#include "bench/service/child.h"

namespace jobrunner::bench {
namespace {

constexpr int kWorkers = 1000;
constexpr std::chrono::seconds kIdle{10};
constexpr std::chrono::milliseconds kPause{10};

using Clock = std::chrono::steady_clock;

v1::WorkRequest Hello(int number) {
  v1::WorkRequest request;
  v1::WorkerHello& hello = *request.mutable_hello();
  hello.set_name("idle " + std::to_string(number));
  hello.add_handlers("noop");
  hello.set_slots(4);
  return request;
}

}  // namespace

IdleWorkers::IdleWorkers(const std::string& address, int count) {
  for (int i = 0; i < count; ++i) {
    One& one = workers_.emplace_back();
    one.inbox = std::make_shared<worker::WorkInbox>();
    one.stream = std::make_unique<worker::WorkStream>(address, Hello(i), one.inbox);
  }
  thread_ = std::thread([this] { Serve(); });
  while (welcomed_ < count) std::this_thread::sleep_for(kPause);
}

IdleWorkers::~IdleWorkers() {
  ending_ = true;
  for (One& one : workers_) one.stream->Cancel();
  thread_.join();
}

void IdleWorkers::Serve() {
  const auto all_ended = [&] {
    return std::all_of(workers_.begin(), workers_.end(), [](const One& one) { return one.ended; });
  };
  while (!all_ended()) {
    for (One& one : workers_) Attend(one);
    std::this_thread::sleep_for(kPause);
  }
}

void IdleWorkers::Attend(One& one) {
  std::vector<worker::WorkInput> inputs;
  if (!one.inbox->TryTake(&inputs)) return;
  for (worker::WorkInput& input : inputs) {
    if (const auto* message = std::get_if<v1::WorkResponse>(&input)) {
      if (message->has_welcome()) ++welcomed_;
      if (!message->has_lease_check()) continue;
      // The last answer is long through.
      v1::WorkRequest answer;
      answer.mutable_lease_answer()->set_number(message->lease_check().number());
      one.stream->Write(std::move(answer));
    } else if (std::holds_alternative<worker::StreamReadOut>(input)) {
      one.stream->Release();
    } else if (const auto* end = std::get_if<worker::StreamEnded>(&input)) {
      one.ended = true;
      if (ending_) continue;
      std::fprintf(stderr, "bench: a worker's stream ended: %s\n", end->status.ToString().c_str());
      std::abort();
    }
  }
}

namespace {

void BenchWithLease(const std::string& lease, const char* what) {
  const auto server = StartServer(R"({"workers": {"lease": ")" + lease + R"("}})");
  const int threads_before = server->ThreadCount();
  const int64_t bytes_before = server->ResidentBytes();
  IdleWorkers workers(server->address(), kWorkers);
  // What connecting has left to do.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const double cpu_before = server->CpuSeconds();
  std::this_thread::sleep_for(kIdle);
  const double cpu = server->CpuSeconds() - cpu_before;
  const int64_t bytes = server->ResidentBytes();
  std::printf(
      "  %s: server %.0f MB (at most 100), %.1f KiB a worker; %d threads, %d before;\n"
      "    %.2f ms of processor time a second\n",
      what, 1e-6 * static_cast<double>(bytes),
      static_cast<double>(bytes - bytes_before) / 1024 / kWorkers, server->ThreadCount(),
      threads_before, 1e3 * cpu / static_cast<double>(kIdle.count()));
}

}  // namespace

void BenchIdleWorkers() {
  std::printf("%d remote workers without work, each on a connection of its own; memory store\n",
              kWorkers);
  BenchWithLease("3600s", "no lease check within the time");
  BenchWithLease("10s", "300 lease checks a second");
  std::printf("\n");
}

}  // namespace jobrunner::bench
