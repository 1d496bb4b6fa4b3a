// A worker with handlers to try things out: example ADDRESS NAME SLOTS

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "worker/worker.h"

namespace {

using google::protobuf::Struct;
using jobrunner::base::LogLevel;
using jobrunner::workers::HandlerContext;
using jobrunner::workers::HandlerError;
using jobrunner::workers::HandlerRegistry;
using jobrunner::workers::HandlerResult;

class ErrorOutputLogger final : public jobrunner::base::Logger {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kInfo; }
  void Log(LogLevel, std::string_view message) override { std::cerr << message << std::endl; }
};

std::string Payload(const HandlerContext& context) { return std::string(context.payload()); }

std::chrono::duration<double> Seconds(const HandlerContext& context) {
  return std::chrono::duration<double>(std::stod(Payload(context)));
}

std::string Done(const HandlerContext& context) {
  return absl::StrCat("done by attempt ", context.attempt());
}

// The payload, its ASCII letters in upper case.
HandlerResult Upper(HandlerContext& context) { return absl::AsciiStrToUpper(Payload(context)); }

// Runs for so many seconds, and heeds its stop.
HandlerResult Slow(HandlerContext& context) {
  context.Progress(0, "begun");
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock<std::mutex> lock(mutex);
  never.wait_for(lock, context.stop_token(), Seconds(context), [] { return false; });
  if (context.stop_requested()) return HandlerError{.message = "stopped", .code = 1};
  return Done(context);
}

// Runs for so many seconds, whatever it is told.
HandlerResult Stubborn(HandlerContext& context) {
  context.Progress(0, "begun");
  std::this_thread::sleep_for(Seconds(context));
  return Done(context);
}

// Fails as the payload says: {"message", "code", "final", "critical"}, or {"raise"}.
HandlerResult Failing(HandlerContext& context) {
  Struct how;
  if (!google::protobuf::util::JsonStringToMessage(Payload(context), &how).ok()) {
    return HandlerError{.message = "the payload is no JSON object"};
  }
  const auto& fields = how.fields();
  const auto value = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? google::protobuf::Value() : found->second;
  };
  if (fields.contains("raise")) throw std::runtime_error(value("raise").string_value());
  return HandlerError{.message = value("message").string_value(),
                      .code = static_cast<int32_t>(value("code").number_value()),
                      .retryable = !value("final").bool_value(),
                      .critical = value("critical").bool_value()};
}

// Tells its progress and writes on both outputs, so many times.
HandlerResult Steps(HandlerContext& context) {
  const int count = std::stoi(Payload(context));
  for (int step = 1; step <= count; ++step) {
    context.Progress(double(step) / count, absl::StrCat("step ", step));
    context.Write(absl::StrCat("out ", step, "\n"));
    context.WriteError(absl::StrCat("err ", step, "\n"));
  }
  return "";
}

// So many bytes.
HandlerResult Zeros(HandlerContext& context) {
  return std::string(std::stoul(Payload(context)), '\0');
}

// What a handler knows of its job, as JSON.
HandlerResult About(HandlerContext& context) {
  using jobrunner::base::SteadyTime;
  Struct about;
  auto& fields = *about.mutable_fields();
  fields["batch_id"].set_string_value(std::string(context.batch_id()));
  fields["job_index"].set_number_value(context.job_index());
  fields["job_key"].set_string_value(std::string(context.job_key()));
  fields["attempt"].set_number_value(context.attempt());
  fields["content_type"].set_string_value(std::string(context.content_type()));
  if (context.deadline() == SteadyTime::max()) {
    fields["seconds_left"].set_null_value(google::protobuf::NULL_VALUE);
  } else {
    const std::chrono::duration<double> left =
        context.deadline() - std::chrono::steady_clock::now();
    fields["seconds_left"].set_number_value(left.count());
  }
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(about, &json);
  if (!status.ok()) return HandlerError{.message = std::string(status.message())};
  return json;
}

HandlerRegistry Handlers() {
  HandlerRegistry handlers;
  const std::pair<const char*, HandlerResult (*)(HandlerContext&)> functions[] = {
      {"upper", Upper}, {"slow", Slow},   {"stubborn", Stubborn}, {"failing", Failing},
      {"steps", Steps}, {"zeros", Zeros}, {"about", About}};
  for (const auto& [name, function] : functions) {
    if (!handlers.Register(name, function).ok()) std::abort();
  }
  return handlers;
}

// SIGTERM and Ctrl-C let the worker leave; a second one ends the program at once.
void LeaveOnSignal(std::shared_ptr<jobrunner::worker::Worker> worker, const sigset_t& signals) {
  std::thread([worker = std::move(worker), signals] {
    int number = 0;
    sigwait(&signals, &number);
    worker->Leave();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    for (;;) pause();
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: example ADDRESS NAME SLOTS\n";
    return 2;
  }
  // Before there are threads, which inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  ErrorOutputLogger logger;
  auto worker = jobrunner::worker::Worker::Create(
      Handlers(),
      {.address = argv[1], .name = argv[2], .slots = std::atoi(argv[3]), .logger = &logger});
  if (!worker.ok()) {
    std::cerr << worker.status() << "\n";
    return 1;
  }
  const std::shared_ptr<jobrunner::worker::Worker> shared = *std::move(worker);
  LeaveOnSignal(shared, signals);
  const absl::Status end = shared->Run();
  if (!end.ok()) std::cerr << end << "\n";
  return end.ok() ? 0 : 1;
}
