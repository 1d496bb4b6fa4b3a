#include "server/config_json.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "google/protobuf/util/json_util.h"
#include "server/json_shape.h"

namespace jobrunner::server {
namespace {

// Protobuf says "(queues[1].max_running): invalid value 1.5 for type TYPE_INT32".
absl::Status Reworded(const google::protobuf::util::Status& status) {
  std::string message(status.message());
  if (const size_t end = message.find("):"); message.starts_with("(") && end != message.npos) {
    message = message.substr(1, end - 1) + message.substr(end + 1);
  }
  return absl::InvalidArgumentError(
      absl::StrReplaceAll(message, {{"for type type.googleapis.com/", "for a "},
                                    {"for type TYPE_INT", "for an int"},
                                    {"for type TYPE_DOUBLE", "for a number"},
                                    {"for type TYPE_STRING", "for a string"}}));
}

}  // namespace

absl::StatusOr<config::v1::Config> ParseConfigJson(std::string_view json) {
  config::v1::Config config;
  RETURN_IF_ERROR(JsonShape::Check(json, *config.GetDescriptor()));
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &config);
  if (!parsed.ok()) return Reworded(parsed);
  return config;
}

}  // namespace jobrunner::server
