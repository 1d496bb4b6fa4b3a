// Jobs side by side, serialized, as the bytes of a shard are.
//
//   jobs := (0x2A varint(length) Job)*
//
// 0x2A is the tag of BatchSpec.jobs, so that these bytes are a BatchSpec that has jobs alone.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jobrunner::engine {

inline constexpr uint32_t kJobTag = 0x2A;

// Appends one serialized Job with its tag and length.
void AppendSerializedJob(std::string_view job, std::string* bytes);

// Walks over jobs without parsing them:
//
//   SerializedJobs jobs(bytes);
//   while (auto job = jobs.Next()) …
//
// `bytes` must outlive it. Not thread-safe.
class SerializedJobs {
 public:
  explicit SerializedJobs(std::string_view bytes) : rest_(bytes) {}

  // The next job's bytes; nothing at the end, or where the bytes are not of the grammar.
  std::optional<std::string_view> Next();

 private:
  std::string_view rest_;
};

// The key of a serialized job, empty if it has none. A view into `job`.
std::string_view KeyOfSerializedJob(std::string_view job);

// The count of a serialized job: 0 unless it is an array.
int32_t CountOfSerializedJob(std::string_view job);

}  // namespace jobrunner::engine
