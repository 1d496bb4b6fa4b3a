#include "engine/serialized_jobs.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::engine {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

static_assert(kJobTag == WireFormatLite::MakeTag(v1::BatchSpec::kJobsFieldNumber,
                                                 WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
constexpr uint32_t kCountTag =
    WireFormatLite::MakeTag(v1::Job::kCountFieldNumber, WireFormatLite::WIRETYPE_VARINT);
constexpr uint32_t kKeyTag =
    WireFormatLite::MakeTag(v1::Job::kKeyFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);

CodedInputStream StreamOver(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// The bytes of a field of which the tag was read; nothing where they are cut short.
std::optional<std::string_view> ReadBytes(std::string_view all, CodedInputStream* input) {
  uint32_t size = 0;
  if (!input->ReadVarint32(&size)) return std::nullopt;
  const auto begin = static_cast<size_t>(input->CurrentPosition());
  if (size > all.size() - begin) return std::nullopt;
  input->Skip(static_cast<int>(size));
  return all.substr(begin, size);
}

}  // namespace

void AppendSerializedJob(std::string_view job, std::string* bytes) {
  uint8_t head[6] = {static_cast<uint8_t>(kJobTag)};
  const uint8_t* end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(job.size()), head + 1);
  bytes->append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
  bytes->append(job);
}

std::optional<std::string_view> SerializedJobs::Next() {
  CodedInputStream input = StreamOver(rest_);
  if (input.ReadTag() != kJobTag) return std::nullopt;
  const auto job = ReadBytes(rest_, &input);
  if (job) rest_.remove_prefix(static_cast<size_t>(input.CurrentPosition()));
  return job;
}

std::string_view KeyOfSerializedJob(std::string_view job) {
  CodedInputStream input = StreamOver(job);
  // The last one counts, as for any field that is given twice.
  std::string_view key;
  while (const uint32_t tag = input.ReadTag()) {
    if (tag == kKeyTag) {
      const auto found = ReadBytes(job, &input);
      if (!found) break;
      key = *found;
    } else if (!WireFormatLite::SkipField(&input, tag)) {
      break;
    }
  }
  return key;
}

int32_t CountOfSerializedJob(std::string_view job) {
  CodedInputStream input = StreamOver(job);
  uint64_t count = 0;
  while (const uint32_t tag = input.ReadTag()) {
    const bool read =
        tag == kCountTag ? input.ReadVarint64(&count) : WireFormatLite::SkipField(&input, tag);
    if (!read) break;
  }
  return static_cast<int32_t>(count);
}

}  // namespace jobrunner::engine
