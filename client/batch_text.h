#pragma once

#include <string>
#include <vector>

namespace jobrunner::v1 {
class Batch;
class JobStatus;
class Wait;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// How batches and jobs stand, for people; safe for terminals, lines end in newlines.

// Everything about a batch, a line for each thing.
std::string BatchDetails(const v1::Batch& batch);

// Rows for TextTable, and their headings.
std::vector<std::string> BatchRowHeadings();
std::vector<std::string> BatchRow(const v1::Batch& batch);
std::vector<std::string> JobRowHeadings();
std::vector<std::string> JobRow(const v1::JobStatus& job);

// Everything about a job, its output left out.
std::string JobDetails(const v1::JobStatus& job);

// "a worker, place 17", "its backoff, until 13:37:00".
std::string WaitText(const v1::Wait& wait);

}  // namespace jobrunner::client
