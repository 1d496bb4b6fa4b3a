// What the server is to do: from a file, overridden by flags, with the defaults filled in.

#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::server {

struct Flags;

// The configuration that the flags ask for: the file if they name one, what they override, every
// default filled in, checked. Reads the file each time, so that it serves SIGHUP too. Blocks on it.
// An error names the file and the field.
absl::StatusOr<config::v1::Config> LoadConfig(const Flags& flags);

// The parts of LoadConfig.

// NOT_FOUND, PERMISSION_DENIED and the like naming the file; INVALID_ARGUMENT as ParseConfigJson.
absl::StatusOr<config::v1::Config> ReadConfigFile(const std::string& path);
void Override(const Flags& flags, config::v1::Config* config);
// Sets every field that has a default and is unset.
void FillInDefaults(config::v1::Config* config);

}  // namespace jobrunner::server
