// Scene 8: a program of its own embeds the engine, with a handler and a logger of its own. It links
// jobrunner::embedded and nothing else of jobrunner: no server, no network, no gRPC.

#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "embedded/local_runner.h"

namespace {

using namespace jobrunner;

struct Person {
  const char* name;
  int age;
  int work_ms;
};
constexpr Person kPeople[] = {{"Alice", 30, 300}, {"Bob", 25, 450}, {"Charlie", 36, 150},
                              {"Dave", 40, 400},  {"Eve", 28, 200}, {"Frank", 32, 350}};

// Writes to standard error, each line after the program's name.
class OwnLogger final : public base::Logger {
 public:
  bool Enabled(base::LogLevel level) const override { return level >= base::LogLevel::kInfo; }

  void Log(base::LogLevel level, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    std::cerr << "own_program: " << base::LogLevelName(level) << ": " << message << "\n";
  }

 private:
  // Handlers log from many threads.
  std::mutex mutex_;
};

// Greets the person whom the job's key names, after the milliseconds of its payload.
class Greeter final : public workers::Handler {
 public:
  workers::HandlerResult Run(workers::HandlerContext& context) override {
    int work_ms = 0;
    if (!absl::SimpleAtoi(std::string(context.payload()), &work_ms)) {
      return workers::HandlerError{.message = "the payload is no number", .retryable = false};
    }
    base::LogInfo(context.logger(), "greeting %s", std::string(context.job_key()));
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(
        lock, context.stop_token(), std::chrono::milliseconds(work_ms), [] { return false; });
    if (context.stop_requested()) return workers::HandlerError{.message = "was interrupted"};
    return absl::StrCat("Hello, ", std::string(context.job_key()), "!");
  }
};

v1::BatchSpec Greetings() {
  v1::BatchSpec batch;
  for (const Person& person : kPeople) {
    v1::Job* job = batch.add_jobs();
    job->set_key(person.name);
    job->mutable_handler()->set_name("greet");
    job->mutable_handler()->set_payload(absl::StrCat(person.work_ms));
  }
  return batch;
}

void Show(const v1::Event& event) {
  if (!event.has_result()) return;
  std::cout << event.result().output() << " (" << event.result().worker() << ")" << std::endl;
}

absl::StatusOr<v1::Batch> RunGreetings(base::Logger* logger) {
  workers::HandlerRegistry handlers;
  if (absl::Status status = handlers.Register("greet", std::make_shared<Greeter>()); !status.ok()) {
    return status;
  }
  auto runner =
      embedded::LocalRunner::Start(std::move(handlers), {.workers_max = 3, .logger = logger});
  if (!runner.ok()) return runner.status();
  return (*runner)->Run(Greetings(), Show);
}

}  // namespace

int main() {
  OwnLogger logger;
  const absl::StatusOr<v1::Batch> batch = RunGreetings(&logger);
  if (!batch.ok()) {
    std::cerr << batch.status().ToString() << "\n";
    return 2;
  }
  return batch->state() == v1::BATCH_STATE_SUCCEEDED ? 0 : 1;
}
