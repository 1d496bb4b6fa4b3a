#pragma once

#include <google/protobuf/map.h>

#include <string>
#include <vector>

namespace jobrunner::v1 {
class Batch;
class JobStatus;
class Wait;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// How batches and jobs stand, for people; safe for terminals, lines end in newlines.

// "a=b, c=d"; not yet safe for terminals.
std::string LabelsText(const google::protobuf::Map<std::string, std::string>& labels);

// Everything about a batch, a line for each thing.
std::string BatchDetails(const v1::Batch& batch);

// Rows for TextTable, and their headings.
std::vector<std::string> BatchRowHeadings();
std::vector<std::string> BatchRow(const v1::Batch& batch);
std::vector<std::string> JobRowHeadings();
std::vector<std::string> JobRow(const v1::JobStatus& job);

// Everything about a job, its output left out.
std::string JobDetails(const v1::JobStatus& job);

// "a free worker, about 17 jobs before it", "its backoff, until 13:37:00".
std::string WaitText(const v1::Wait& wait);

}  // namespace jobrunner::client
