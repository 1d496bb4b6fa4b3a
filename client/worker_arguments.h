#pragma once

namespace CLI {
class App;
}

namespace jobrunner::client {

struct WorkerOptions;

// Defines the options of worker.
void DefineWorker(CLI::App* app, WorkerOptions* options);

}  // namespace jobrunner::client
