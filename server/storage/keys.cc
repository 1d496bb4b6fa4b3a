#include "storage/keys.h"

#include <limits>
#include <utility>

namespace jobrunner::storage::keys {
namespace {

constexpr size_t kNumberBytes = 8;

void AppendBytes(uint64_t number, int bytes, std::string* key) {
  for (int i = bytes - 1; i >= 0; --i) key->push_back(static_cast<char>(number >> (8 * i)));
}

void AppendNumber(int64_t number, std::string* key) {
  AppendBytes(static_cast<uint64_t>(number), kNumberBytes, key);
}

void AppendTime(base::WallTime time, std::string* key) {
  const auto number = static_cast<uint64_t>(time.time_since_epoch().count());
  AppendBytes(number + (uint64_t{1} << 63), kNumberBytes, key);
}

void AppendSized(std::string_view text, std::string* key) {
  AppendBytes(text.size(), 2, key);
  key->append(text);
}

std::string Of(char kind, std::string_view id) {
  std::string key(1, kind);
  key.append(id);
  return key;
}

std::string OfBatch(std::string_view batch_id) {
  std::string key(1, 'b');
  AppendSized(batch_id, &key);
  return key;
}

std::string PartOf(std::string_view batch_id, char part) {
  std::string key = OfBatch(batch_id);
  key.push_back(part);
  return key;
}

std::string Part(std::string_view batch_id, char part, int64_t number) {
  std::string key = PartOf(batch_id, part);
  AppendNumber(number, &key);
  return key;
}

std::string Expiry(char kind, base::WallTime time, std::string_view id) {
  std::string key(1, kind);
  AppendTime(time, &key);
  key.append(id);
  return key;
}

Range Expired(char kind, base::WallTime now) {
  std::string end(1, kind);
  AppendTime(now, &end);
  // With what expires at `now` itself.
  return {std::string(1, kind), OfPrefix(std::move(end)).end};
}

}  // namespace

std::string Store() { return "m"; }

std::string Header(std::string_view batch_id) { return PartOf(batch_id, 'h'); }
std::string Shard(std::string_view batch_id, int32_t first_index) {
  return Part(batch_id, 'j', first_index);
}
std::string Record(std::string_view batch_id, int64_t number) {
  return Part(batch_id, 'r', number);
}
std::string Segment(std::string_view batch_id, int64_t first_sequence) {
  return Part(batch_id, 's', first_sequence);
}

std::string Unfinished(std::string_view batch_id) { return Of('u', batch_id); }
std::string Staged(std::string_view batch_id) { return Of('p', batch_id); }
std::string Summary(std::string_view batch_id) { return Of('f', batch_id); }
std::string Request(std::string_view request_id) { return Of('k', request_id); }

std::string AllBatches() { return "b"; }
std::string AllUnfinished() { return "u"; }
std::string AllStaged() { return "p"; }
std::string AllSummaries() { return "f"; }
std::string AllRequests() { return "k"; }

std::string ByState(jobrunner::v1::BatchState state) { return {'t', static_cast<char>(state)}; }

std::string ByQueue(std::string_view queue) {
  std::string key(1, 'q');
  AppendSized(queue, &key);
  return key;
}

std::string ByLabel(std::string_view label, std::string_view value) {
  std::string key(1, 'l');
  AppendSized(label, &key);
  AppendSized(value, &key);
  return key;
}

std::string BatchExpiry(base::WallTime time, std::string_view batch_id) {
  return Expiry('e', time, batch_id);
}
std::string RequestExpiry(base::WallTime time, std::string_view request_id) {
  return Expiry('g', time, request_id);
}

Range OfPrefix(std::string prefix) {
  std::string end = prefix;
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) ++end.back();
  return {std::move(prefix), std::move(end)};
}

// Kinds are letters.
Range All() { return {"", "\xff"}; }
Range Batch(std::string_view batch_id) { return OfPrefix(OfBatch(batch_id)); }
Range Records(std::string_view batch_id) { return OfPrefix(PartOf(batch_id, 'r')); }
Range Segments(std::string_view batch_id) { return OfPrefix(PartOf(batch_id, 's')); }

Range BatchesExpired(base::WallTime now) { return Expired('e', now); }
Range RequestsExpired(base::WallTime now) { return Expired('g', now); }

std::optional<BatchPart> ParseBatchPart(std::string_view key) {
  constexpr size_t kBeforeId = 3;
  if (key.size() <= kBeforeId || key.front() != 'b') return std::nullopt;
  const size_t id_bytes = static_cast<uint8_t>(key[1]) << 8 | static_cast<uint8_t>(key[2]);
  if (key.size() <= kBeforeId + id_bytes) return std::nullopt;
  BatchPart part{key.substr(kBeforeId, id_bytes), key[kBeforeId + id_bytes], 0};
  key.remove_prefix(kBeforeId + id_bytes + 1);
  if (part.kind == 'h') return key.empty() ? std::optional(part) : std::nullopt;
  const auto number = NumberOf(key);
  if (key.size() != kNumberBytes || !number) return std::nullopt;
  part.number = *number;
  return part;
}

std::optional<int64_t> NumberOf(std::string_view key) {
  if (key.size() < kNumberBytes) return std::nullopt;
  uint64_t number = 0;
  for (const char byte : key.substr(key.size() - kNumberBytes)) {
    number = number << 8 | static_cast<uint8_t>(byte);
  }
  if (number > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::string_view ExpiredId(std::string_view key) {
  return key.size() < 1 + kNumberBytes ? std::string_view() : key.substr(1 + kNumberBytes);
}

}  // namespace jobrunner::storage::keys
