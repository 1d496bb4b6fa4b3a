#pragma once

namespace CLI {
class App;
}

namespace jobrunner::client {

struct BackupOptions;
struct InspectOptions;
struct RestoreOptions;

// Define the options of the commands about stores.
void DefineInspect(CLI::App* app, InspectOptions* options);
void DefineBackup(CLI::App* app, BackupOptions* options);
void DefineRestore(CLI::App* app, RestoreOptions* options);

}  // namespace jobrunner::client
