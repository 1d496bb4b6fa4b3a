#pragma once

#include <string>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace jobrunner::client {

// Protobuf's JSON, for people: INVALID_ARGUMENT says what is wrong in text that is safe to show.
// What is nested too deep is refused before a parser sees it.
absl::Status ParseJson(const std::string& json, google::protobuf::Message* message);

}  // namespace jobrunner::client
