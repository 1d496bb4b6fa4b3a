// What the messages of remote workers must be like.

#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "jobrunner/v1/worker_service.pb.h"

namespace jobrunner::rpc {

// Each says which fields are wrong, by their paths from the WorkRequest on: "hello.handlers[3]".

// `own_handlers` are the server's.
absl::Status CheckHello(const v1::WorkerHello& hello,
                        const absl::flat_hash_set<std::string>& own_handlers);
absl::Status CheckSlots(const v1::WorkerSlots& slots);
absl::Status CheckLeaseAnswer(const v1::LeaseAnswer& answer);
absl::Status CheckLeave(const v1::WorkerLeave& leave);
absl::Status CheckOutcomes(const v1::AttemptOutcomes& outcomes);

}  // namespace jobrunner::rpc
