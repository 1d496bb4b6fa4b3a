#pragma once

#include <string>

namespace jobrunner::v1 {
class GetServerInfoResponse;
class GetStatisticsResponse;
class PoolStatistics;
class QueueInfo;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// What a server says of itself, for people; safe for terminals, lines end in newlines.
std::string ServerInfoText(const v1::GetServerInfoResponse& info);
std::string StatisticsText(const v1::GetStatisticsResponse& statistics);
std::string PoolText(const v1::PoolStatistics& pool);
std::string QueueText(const v1::QueueInfo& queue);

}  // namespace jobrunner::client
