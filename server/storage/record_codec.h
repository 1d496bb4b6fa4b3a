// Between what the engine says and the bytes of proto/jobrunner/storage/v1/record.proto.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/record.h"
#include "engine/store.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::storage {

// What this program writes.
inline constexpr uint32_t kFormat = 1;

// The store's own record.
struct StoreState {
  uint32_t format = kFormat;
  uint32_t epoch = 0;
};

// A Changed or CancelRequested as it is stored: instead of its segment, which stands apart, which
// events that has.
struct StoredRecord {
  engine::Record record;
  int64_t first_sequence = 0;
  int64_t event_count = 0;
};

// A finished batch without its jobs.
struct Summary {
  jobrunner::v1::Batch batch;
  std::string request_id;
  base::WallTime expire_time{};
};

struct StoredRequest {
  engine::KnownRequest known;
  // Set once the batch is removed.
  std::optional<base::WallTime> keep_until;
};

// Decoding is the inverse of encoding. It answers DATA_LOSS for bytes that are not what it reads or
// that say what cannot be, and never trusts a number among them.

std::string Encode(const StoreState& store);
absl::StatusOr<StoreState> DecodeStoreState(std::string_view bytes);

// The header and the table of shards; the shards' bytes stand apart, and are null when decoded.
std::string Encode(const engine::Accepted& accepted);
absl::StatusOr<engine::Accepted> DecodeAccepted(std::string_view bytes);

std::string Encode(const engine::Changed& changed);
std::string Encode(const engine::CancelRequested& cancel);
absl::StatusOr<StoredRecord> DecodeRecord(std::string_view bytes);

std::string Encode(const Summary& summary);
absl::StatusOr<Summary> DecodeSummary(std::string_view bytes);

std::string Encode(const StoredRequest& request);
absl::StatusOr<StoredRequest> DecodeRequest(std::string_view bytes);

}  // namespace jobrunner::storage
