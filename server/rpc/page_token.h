// Where a list goes on.

#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace jobrunner::rpc {

// A token is
//
//   base64url(digest(8 bytes) position)
//
// where the digest sums up the request but its page_size and page_token, so that a token is good
// for the list it came from alone.
std::string MakePageToken(const google::protobuf::Message& request, std::string_view position);

// The position in the request's page_token; empty if it has none. INVALID_ARGUMENT when the token
// is not one, or comes from a request with other fields.
absl::StatusOr<std::string> ReadPageToken(const google::protobuf::Message& request);

}  // namespace jobrunner::rpc
