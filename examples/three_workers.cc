// Scene 1: three workers take six jobs in parallel; each result names its worker.

#include "scene.h"

int main() {
  using namespace jobrunner::examples;
  const Scene scene;
  return Play(scene, BatchOf(scene.people));
}
