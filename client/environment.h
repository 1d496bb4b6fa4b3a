#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace jobrunner::client {

// $name, or `otherwise`.
std::string Environment(const char* name, const std::string& otherwise);

// This process's variables, as commands can be given them: those whose names are no identifiers,
// that are not UTF-8, or that the server sets itself (JOBRUNNER_*) are left out.
std::map<std::string, std::string> OwnEnvironment();

// These variables of this process; INVALID_ARGUMENT when there is none of that name.
absl::StatusOr<std::map<std::string, std::string>> NamedEnvironment(
    const std::vector<std::string>& names);

}  // namespace jobrunner::client
