#pragma once

#include "client/admin_command.h"

namespace CLI {
class App;
}

namespace jobrunner::client {

struct HealthOptions;

// Defines the options of health.
void DefineHealth(CLI::App* app, HealthOptions* options);

// What the commands of admin are filled in with; the one that is given is copied to `chosen`.
struct AdminArguments {
  AdminOptions chosen;
  ShowInfo info;
  ShowStatistics statistics;
  PauseQueue pause;
  ResumeQueue resume;
  ResizePool resize;
  DrainServer drain;
};

// Defines the commands of admin, each with the options of every command.
void DefineAdmin(CLI::App* app, CommonOptions* common, AdminArguments* arguments);

}  // namespace jobrunner::client
