#include "scene.h"

#include "base/status_macros.h"
#include "event_printer.h"

namespace jobrunner::examples {
namespace {

absl::StatusOr<v1::Batch> Run(const Scene& scene, const v1::BatchSpec& spec) {
  workers::HandlerRegistry handlers;
  RETURN_IF_ERROR(handlers.Register("person", PersonHandler(scene.oldest)));
  ASSIGN_OR_RETURN(
      const auto runner,
      embedded::LocalRunner::Start(std::move(handlers), {.workers_max = scene.people.workers(),
                                                         .listeners = scene.listeners}));
  ASSIGN_OR_RETURN(const v1::Batch batch, runner->Submit(spec));
  const EventPrinter printer(batch);
  return runner->Follow(batch.id(), 0, [&](const v1::Event& event) { printer.Print(event); });
}

}  // namespace

int Play(const Scene& scene, const v1::BatchSpec& batch) { return ExitStatusOf(Run(scene, batch)); }

}  // namespace jobrunner::examples
