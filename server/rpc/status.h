// The one translation of errors to what goes over the wire.

#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "engine/violations.h"

namespace jobrunner::rpc {

// The details of an error, as they travel in "grpc-status-details-bin": the rest of the 8 KiB that
// gRPC allows for metadata is left to others.
inline constexpr size_t kDetailsBytesMax = 4 << 10;

// INVALID_ARGUMENT with the violations, PERMISSION_DENIED when all of them are of that kind. OK
// when there are none.
absl::Status ToStatus(const engine::Violations& violations);

// INVALID_ARGUMENT for one field.
absl::Status InvalidField(std::string_view field, std::string_view reason);

// Adds to the ErrorInfo.metadata that a status will have.
void SetMetadata(absl::Status* status, std::string_view key, std::string_view value);

// With a google.rpc.Status as details: ErrorInfo always (domain "jobrunner"); BadRequest for wrong
// fields, also where the message begins with the path of one, a colon and a space; RetryInfo with
// RESOURCE_EXHAUSTED and UNAVAILABLE.
grpc::Status ToGrpcStatus(const absl::Status& status);

// What calls get that the server ends because it stops.
absl::Status ServerStops();

}  // namespace jobrunner::rpc
