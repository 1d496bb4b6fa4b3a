// bench_worker: a remote worker with the handlers of the benches: "noop" returns its payload,
// "first_stays" stays for ever at the first attempt. Ends when its standard input does.
//
// usage: bench_worker ADDRESS NAME SLOTS

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "worker/worker.h"

namespace {

using jobrunner::worker::Worker;
using jobrunner::workers::HandlerContext;
using jobrunner::workers::HandlerResult;

HandlerResult NoOp(HandlerContext& context) { return std::string(context.payload()); }

// The first attempt stays until it is asked to stop, a later one returns at once.
HandlerResult FirstStays(HandlerContext& context) {
  while (context.attempt() == 1 && !context.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return "";
}

void AwaitEndOfInput() {
  char buffer[64];
  while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  jobrunner::workers::HandlerRegistry handlers;
  if (!handlers.RegisterQuick("noop", NoOp).ok() ||
      !handlers.Register("first_stays", FirstStays).ok()) {
    return 1;
  }
  auto worker = Worker::Create(std::move(handlers),
                               {.address = argv[1], .name = argv[2], .slots = std::atoi(argv[3])});
  if (!worker.ok()) return 1;
  std::printf("bench_worker: serving on %s\n", argv[1]);
  std::fflush(stdout);
  std::thread leaver([&] {
    AwaitEndOfInput();
    (*worker)->Leave();
  });
  const absl::Status end = (*worker)->Run();
  if (!end.ok()) std::fprintf(stderr, "bench_worker: %s\n", end.ToString().c_str());
  leaver.join();
  return end.ok() ? 0 : 1;
}
