#pragma once

#include "absl/status/statusor.h"
#include "client/console.h"
#include "client/library/client.h"
#include "client/printer.h"

namespace jobrunner::client {

// Shows the event log of a batch until its end, or as far as it goes. Returns the exit status:
// kSuccess unless a job or the batch did not succeed. An error says where to go on.
absl::StatusOr<int> FollowBatch(Client* client, v1::StreamResultsRequest reading, Printer* printer);

// Shows a batch that was just accepted, and with `wait` follows it to its end.
absl::StatusOr<int> ShowAccepted(Client* client, const v1::Batch& batch, bool wait,
                                 const CommonOptions& common);

}  // namespace jobrunner::client
