// The job log: what became of each attempt that failed and of each job.

#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/event_listener.h"
#include "jobrunner/config/v1/config.pb.h"

namespace jobrunner::base {
class SpdlogLogger;
}

namespace jobrunner::server {

// Writes one line (JobLogText or JobLogJson) for each failed attempt and each result, from a thread
// of its own: a disk that is full or a pipe that nobody reads costs lines, which are counted, never
// time.
class JobLog final : public engine::EventListener {
 public:
  // As log.job_log says, "-" being standard error. An error when the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<JobLog>> Open(const config::v1::Log& log);
  ~JobLog() override;

  Interest interest() const override { return Interest::kResults; }
  void Happened(const engine::BatchHeader& batch, const v1::Event& event, bool failure) override;

  // Blocks until every line is written or dropped. Nothing may happen any more. May be called
  // twice.
  void Close();

  // Lines that were not written.
  uint64_t dropped() const;

 private:
  JobLog(std::unique_ptr<base::SpdlogLogger> lines, bool as_json);

  const bool as_json_;
  const std::unique_ptr<base::SpdlogLogger> lines_;
};

}  // namespace jobrunner::server
