#include "client/command_line.h"
#include "client/invoke.h"

int main(int argc, char** argv) {
  const auto parsed = jobrunner::client::ParseCommandLine(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  return jobrunner::client::Invoke(std::get<jobrunner::client::Invocation>(parsed));
}
