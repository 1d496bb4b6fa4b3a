// The command line of jobrunnerd.

#pragma once

#include <optional>
#include <string>
#include <variant>

namespace jobrunner::server {

// What is set overrides the configuration file.
struct Flags {
  // Empty: no file.
  std::string config;
  std::optional<std::string> listen;
  std::optional<std::string> store;
  bool allow_any_command = false;
  std::optional<int> workers_min;
  std::optional<int> workers_max;
  std::optional<std::string> web_listen;
  std::optional<std::string> backup_directory;
  std::optional<std::string> log_level;
  std::optional<std::string> log_file;
  std::optional<std::string> job_log;

  // For a private server. Drain with no grace and end when this inherited descriptor sees its end.
  std::optional<int> exit_with_parent_fd;
  // Removed, with what is in it, when the server has ended.
  std::string remove_directory_on_exit;
};

// The process is to end with this code; what had to be said has been printed.
struct ExitCode {
  int code = 0;
};

// --help and --version print and end with 0; a mistake is printed and ends with 2.
std::variant<Flags, ExitCode> ParseFlags(int argc, const char* const* argv);

}  // namespace jobrunner::server
