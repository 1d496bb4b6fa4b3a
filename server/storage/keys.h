// The keys of a durable store.
//
//   key      := 'm'                                   → Store
//             | 'b' sized(batch) part                   what a batch consists of: one range
//             | 'u' batch                             → ""       it has not finished
//             | 'p' batch                             → ""       shards are staged for it, and no
//                                                                Header makes it a batch (yet)
//             | 'f' batch                             → Summary  it has finished
//             | 't' state batch                       → ""       finished batches by state,
//             | 'q' sized(queue) batch                → ""       by queue
//             | 'l' sized(key) sized(value) batch     → ""       and by each of their labels
//             | 'e' time batch                        → ""       by when they expire
//             | 'k' request                           → Request
//             | 'g' time request                      → ""       requests of removed batches by
//                                                                when they are forgotten
//   part     := 'h'                                   → Header
//             | 'j' number(first index)               → the bytes of a shard
//             | 'r' number(of the record, from 1)     → Record
//             | 's' number(first sequence)            → the bytes of a segment
//   sized(x) := the length of x in 2 bytes, x
//   number   := 8 bytes
//   time     := 8 bytes: nanoseconds since 1970, plus 2^63
//   state    := 1 byte: jobrunner.v1.BatchState
//
// Numbers are big-endian, so that keys sort as what they say. Batch ids sort by time, so that each
// index lists its batches from old to new. The messages are those of
// proto/jobrunner/storage/v1/record.proto.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "jobrunner/v1/event.pb.h"

namespace jobrunner::storage::keys {

std::string Store();

std::string Header(std::string_view batch_id);
std::string Shard(std::string_view batch_id, int32_t first_index);
std::string Record(std::string_view batch_id, int64_t number);
std::string Segment(std::string_view batch_id, int64_t first_sequence);

std::string Unfinished(std::string_view batch_id);
std::string Staged(std::string_view batch_id);
std::string Summary(std::string_view batch_id);
std::string Request(std::string_view request_id);

// What all keys of a kind begin with; an id follows.
std::string AllBatches();
std::string AllUnfinished();
std::string AllStaged();
std::string AllSummaries();
std::string AllRequests();
std::string ByState(jobrunner::v1::BatchState state);
std::string ByQueue(std::string_view queue);
std::string ByLabel(std::string_view key, std::string_view value);

std::string BatchExpiry(base::WallTime time, std::string_view batch_id);
std::string RequestExpiry(base::WallTime time, std::string_view request_id);

// The keys from `begin` on, without `end`.
struct Range {
  std::string begin;
  std::string end;
};
Range OfPrefix(std::string prefix);
Range All();
// All that the batch consists of; its records; its segments.
Range Batch(std::string_view batch_id);
Range Records(std::string_view batch_id);
Range Segments(std::string_view batch_id);
// What has expired at `now`.
Range BatchesExpired(base::WallTime now);
Range RequestsExpired(base::WallTime now);

// A key of what a batch consists of, taken apart. The number is 0 for a header.
struct BatchPart {
  std::string_view batch_id;
  char kind = 'h';
  int64_t number = 0;
};
// A view into `key`; nullopt for any other.
std::optional<BatchPart> ParseBatchPart(std::string_view key);

// The number at the end of a key that ends with one; nullopt for any other.
std::optional<int64_t> NumberOf(std::string_view key);
// The id at the end of a key of BatchExpiry or RequestExpiry.
std::string_view ExpiredId(std::string_view key);

}  // namespace jobrunner::storage::keys
