#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobrunner/config/v1/config.pb.h"
#include "workers/http_jobs.h"

namespace jobrunner::workers {

// HTTP jobs by libcurl, with one thread for all requests; null when the configuration does not
// enable them. Errors are HttpPolicy::Load's. `resolve` answers in place of the machine's resolver:
// entries of CURLOPT_RESOLVE, "NAME:PORT:ADDRESS[,ADDRESS]…". Any thread; it reads the file of the
// secret.
absl::StatusOr<std::unique_ptr<HttpJobs>> LoadCurlHttpJobs(
    const config::v1::Http& config, const std::vector<std::string>& resolve = {});

}  // namespace jobrunner::workers
