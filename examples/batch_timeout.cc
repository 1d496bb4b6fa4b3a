// Scene 2: the batch has one second for 1.85 s of work; what is not done by then is ended, and says
// so.

#include "scene.h"

int main() {
  using namespace jobrunner::examples;
  Scene scene;
  scene.people.set_workers(1);
  jobrunner::v1::BatchSpec batch = BatchOf(scene.people);
  batch.mutable_timeout()->set_seconds(1);
  return Play(scene, batch);
}
