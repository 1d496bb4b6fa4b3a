#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/service/benches.h"
#include "bench/service/calls.h"
#include "bench/service/child.h"
#include "bench/service/log_reader.h"
#include "bench/service/samples.h"
#include "bench/service/scratch_directory.h"

namespace jobrunner::bench {
namespace {

constexpr int kReaders = 1000;
constexpr int kChannels = 10;
constexpr int kJobs = 20'000;
constexpr int kRounds = 3;

using Clock = std::chrono::steady_clock;

// Small windows, so that a reader that does not read stalls its stream soon.
std::shared_ptr<grpc::Channel> ConnectWithSmallWindows(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

[[noreturn]] void Die(const char* message) {
  std::fprintf(stderr, "bench: %s\n", message);
  std::abort();
}

// What the server counts of events.
struct Events {
  int64_t written = 0;
  int64_t sent = 0;
};

// One server, and rounds of readers of one batch each.
class Readers {
 public:
  Readers()
      : server_(StartServer(R"({"workers": {"max": 64}})", "rocksdb:" + directory_.Path("server"))),
        jobs_(v1::JobService::NewStub(Connect(server_->address()))),
        admin_(v1::AdminService::NewStub(Connect(server_->address()))),
        spec_(EchoBatch(kJobs)) {
    // One job after the other, so that the log grows while it is read.
    spec_.set_max_parallelism(1);
    for (int i = 0; i < kChannels; ++i) {
      channels_.push_back(ConnectWithSmallWindows(server_->address()));
    }
    idle_bytes_ = server_->ResidentBytes();
  }

  struct Round {
    // Until the last of the fast readers had the whole log.
    double seconds = 0;
    // The share of it in which the batch ran.
    double live = 0;
    Events events;
    // Not sent to the reader that stalls when the fast ones had everything.
    int64_t unsent = 0;
  };
  // Readers that are there before the first event; the first of them at these paces, the others
  // fast.
  Round Run(int count, const std::vector<Pace>& paces);

  int64_t idle_bytes() const { return idle_bytes_; }
  int64_t most_bytes() const { return most_bytes_; }

 private:
  Events Count() const;
  void AwaitFast(const std::vector<std::unique_ptr<LogReader>>& readers, size_t first);

  const ScratchDirectory directory_;
  const std::unique_ptr<Child> server_;
  const std::unique_ptr<v1::JobService::Stub> jobs_;
  const std::unique_ptr<v1::AdminService::Stub> admin_;
  v1::BatchSpec spec_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  int64_t idle_bytes_ = 0;
  int64_t most_bytes_ = 0;
};

Events Readers::Count() const {
  grpc::ClientContext context;
  v1::GetStatisticsResponse response;
  Expect(admin_->GetStatistics(&context, v1::GetStatisticsRequest(), &response));
  return {response.events_written(), response.events_sent()};
}

void Readers::AwaitFast(const std::vector<std::unique_ptr<LogReader>>& readers, size_t first) {
  for (size_t i = first; i < readers.size(); ++i) {
    if (!readers[i]->ended()) most_bytes_ = std::max(most_bytes_, server_->ResidentBytes());
    readers[i]->AwaitEnd();
  }
  most_bytes_ = std::max(most_bytes_, server_->ResidentBytes());
}

Readers::Round Readers::Run(int count, const std::vector<Pace>& paces) {
  PauseDefaultQueue(*admin_);
  const std::string batch = Submit(*jobs_, spec_);
  std::vector<std::unique_ptr<LogReader>> readers;
  for (int i = 0; i < count; ++i) {
    const Pace pace = static_cast<size_t>(i) < paces.size() ? paces[i] : Pace::kFast;
    readers.push_back(std::make_unique<LogReader>(channels_[i % kChannels], batch, pace));
  }
  for (const auto& reader : readers) reader->AwaitServed();
  const Events before = Count();
  const auto start = Clock::now();
  Round round;
  std::thread end([&] {
    AwaitEnd(*jobs_, batch);
    round.live = SecondsSince(start);
  });
  ResumeDefaultQueue(*admin_);
  AwaitFast(readers, paces.size());
  round.seconds = SecondsSince(start);
  end.join();
  round.live = std::min(1.0, round.live / round.seconds);
  // The bench's own, which awaited the end alone, was sent one.
  const int64_t all = int64_t{count} * (kJobs + 1) + 1;
  round.unsent = all - (Count().sent - before.sent);
  for (size_t i = 0; i < paces.size(); ++i) {
    if (paces[i] == Pace::kStalled) readers[i]->ReadOn();
    readers[i]->AwaitEnd();
  }
  const Events after = Count();
  round.events = {after.written - before.written, after.sent - before.sent};
  for (const auto& reader : readers) {
    if (reader->bytes() != readers[0]->bytes()) Die("readers of one log have read different bytes");
  }
  if (round.events.sent != all) Die("events were sent twice, or never");
  return round;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const char* name, int readers, const Readers::Round& round) {
  std::printf("  %-34s %8.3f us an event and reader  (%.2f s, the batch ran for %.0f %% of it)\n",
              name, 1e6 * round.seconds / (static_cast<double>(readers) * kJobs), round.seconds,
              100 * round.live);
}

}  // namespace

void BenchReaders() {
  std::printf("%d readers of one live batch of %d no-op jobs of %d B, on %d connections; RocksDB\n",
              kReaders, kJobs, kPayloadBytes, kChannels);
  Readers bench;
  std::vector<double> costs;
  std::vector<double> rates;
  Readers::Round all;
  for (int round = 0; round < kRounds; ++round) {
    const Readers::Round one = bench.Run(1, {});
    all = bench.Run(kReaders, {});
    const Readers::Round hindered = bench.Run(kReaders, {Pace::kStalled, Pace::kSlow});
    Print("one reader", 1, one);
    Print("1,000 readers", kReaders, all);
    Print("one of them stalled, one slow", kReaders - 2, hindered);
    if (hindered.unsent <= 0) Die("the reader that was to stall did not");
    costs.push_back(all.seconds / kReaders / one.seconds);
    rates.push_back(all.seconds / hindered.seconds * (kReaders - 2) / kReaders);
  }
  std::printf("  events: %lld serialized, %lld sent\n", static_cast<long long>(all.events.written),
              static_cast<long long>(all.events.sent));
  std::printf(
      "  ratios, medians of %d rounds: an event and reader against one reader's %.3f, rate\n"
      "  of the fast readers beside a stalled and a slow one %.2f\n",
      kRounds, Median(costs), Median(rates));
  std::printf("  memory of the server: idle %.0f MB, at most %.0f MB\n\n",
              1e-6 * static_cast<double>(bench.idle_bytes()),
              1e-6 * static_cast<double>(bench.most_bytes()));
}

}  // namespace jobrunner::bench
