// What an HTTP request must be like.

#pragma once

#include <cstdint>

#include "engine/violations.h"
#include "jobrunner/v1/job.pb.h"

namespace jobrunner::engine {

// The request as a job's work; `body_bytes_max` bounds its body. Whether it may be sent is the
// catalog's to say.
void CheckHttpRequest(const FieldPath& path, const v1::HttpRequest& request, int64_t body_bytes_max,
                      Violations* violations);

// That it is http or https, bounded, of printable ASCII, and names a host and no user. Its parts
// are the catalog's to parse.
void CheckUrl(const FieldPath& path, std::string_view url, Violations* violations);

}  // namespace jobrunner::engine
