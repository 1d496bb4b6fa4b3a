// Scene 3: anyone over 35 is a critical error. It appears on the error channel, and everything that
// still runs is stopped at once.

#include <iostream>

#include "scene.h"

namespace jobrunner::examples {
namespace {

// The error channel of an embedded jobrunner: failures of all batches, as they happen. (Of a server
// it is the call StreamErrors, or `jobrunner errors`.)
class ErrorChannel final : public engine::EventListener {
 public:
  Interest interest() const override { return Interest::kFailures; }

  void Happened(const engine::BatchHeader& batch, const v1::Event& event, bool failure) override {
    if (!failure || !event.has_result()) return;
    const v1::Error& error = event.result().error();
    std::cerr << "error channel: " << (error.critical() ? "CRITICAL: " : "") << batch.spec.name()
              << ": " << event.job_key() << " " << error.message() << std::endl;
  }
};

}  // namespace
}  // namespace jobrunner::examples

int main() {
  using namespace jobrunner::examples;
  ErrorChannel errors;
  const Scene scene{.oldest = OldestRule{.age = 35, .critical = true}, .listeners = {&errors}};
  return Play(scene, BatchOf(scene.people));
}
