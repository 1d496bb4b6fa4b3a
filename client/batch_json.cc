#include "client/batch_json.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "client/json_outline.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {

absl::Status ParseJson(const std::string& json, google::protobuf::Message* message) {
  if (OutlineJson(json).depth_max > kJsonDepthMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("JSON nested deeper than ", kJsonDepthMax, " levels"));
  }
  const auto status = google::protobuf::util::JsonStringToMessage(json, message);
  if (status.ok()) return absl::OkStatus();
  const std::string reason(status.message().data(), status.message().size());
  return absl::InvalidArgumentError(SafeText(reason));
}

}  // namespace jobrunner::client
