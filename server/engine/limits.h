// Every maximum, with its relations.

#pragma once

#include <chrono>
#include <cstdint>

namespace jobrunner::engine {

// A shard is up to this many jobs, and about this many bytes unless one job is larger.
inline constexpr int32_t kJobsPerShardMax = 256;
inline constexpr int64_t kShardBytesMax = 1 << 20;

// A segment is up to this many events, and about this many bytes unless one event is larger.
inline constexpr int64_t kEventsPerSegmentMax = 1024;
inline constexpr int64_t kSegmentBytesMax = 256 << 10;

// A response message, unless one event is larger; and an event. Stock clients read up to 4 MiB.
inline constexpr int64_t kMessageBytesMax = 1 << 20;
inline constexpr int64_t kEventBytesMax = 3 << 20;
inline constexpr int64_t kStockClientBytesMax = 4 << 20;
static_assert(kSegmentBytesMax <= kMessageBytesMax);
static_assert(kEventBytesMax + (64 << 10) <= kStockClientBytesMax);

// Of each of a command's two outputs, or a handler's result.
inline constexpr int64_t kOutputBytesDefault = 256 << 10;
inline constexpr int64_t kOutputBytesMax = 1 << 20;
static_assert(2 * kOutputBytesMax + (64 << 10) <= kEventBytesMax, "a result must fit its event");

inline constexpr int32_t kErrorMessageBytesMax = 4 << 10;

// Jobs and batches.
inline constexpr int64_t kJobsPerBatchDefault = 1'000'000;
inline constexpr int64_t kJobsPerBatchMax = 10'000'000;
inline constexpr int64_t kJobsUnfinishedDefault = 10'000'000;
inline constexpr int64_t kRequestBytesDefault = 64 << 20;
inline constexpr int64_t kRequestBytesMax = 512 << 20;
// Of the jobs of a batch, as they are stored.
inline constexpr int64_t kBatchBytesDefault = int64_t{4} << 30;
inline constexpr int64_t kBatchBytesMax = int64_t{1} << 40;
inline constexpr int64_t kMemoryStoreBytesDefault = 256 << 20;
inline constexpr int64_t kShardsLoadedDefault = 1024;
// Free on the store's disk, or no new batch is taken.
inline constexpr int64_t kDiskReserveDefault = 256 << 20;
inline constexpr int32_t kRequestIdBytesMax = 128;
inline constexpr int32_t kNameBytesMax = 256;
inline constexpr int32_t kLabelsMax = 64;
inline constexpr int32_t kLabelKeyBytesMax = 63;
inline constexpr int32_t kLabelValueBytesMax = 256;
inline constexpr int32_t kPriorityMax = 100;

// Work.
inline constexpr int64_t kPayloadBytesMax = 1 << 20;
inline constexpr int32_t kArgumentsMax = 4096;
inline constexpr int64_t kArgumentBytesMax = 1 << 20;
inline constexpr int64_t kArgumentLengthMax = 128 << 10;  // Linux: MAX_ARG_STRLEN
static_assert(kArgumentLengthMax <= kArgumentBytesMax);
inline constexpr int32_t kEnvironmentMax = 1000;

// HTTP requests.
inline constexpr int64_t kUrlBytesMax = 8 << 10;
inline constexpr int32_t kHttpHeadersMax = 100;
inline constexpr int64_t kHttpHeaderBytesMax = 32 << 10;
// Of an answer's headers.
inline constexpr int64_t kHttpHeaderBytesKept = 16 << 10;
static_assert(kOutputBytesMax + kHttpHeaderBytesKept + (64 << 10) <= kEventBytesMax);
inline constexpr int32_t kHttpRedirectsMax = 20;
inline constexpr std::chrono::minutes kHttpTimeoutDefault{5};
inline constexpr std::chrono::hours kHttpTimeoutMax{1};
inline constexpr std::chrono::seconds kHttpConnectTimeoutDefault{10};
// What tells a batch's end (BatchSpec.finished_url): 1, 2, 4 … 2,048 s, then 1 h, about four hours.
inline constexpr int32_t kNoticeAttemptsMax = 16;
inline constexpr std::chrono::seconds kNoticeTimeout{30};
inline constexpr std::chrono::seconds kNoticeBackoffInitial{1};
inline constexpr std::chrono::hours kNoticeBackoffMax{1};
// A longer Retry-After counts as this.
inline constexpr std::chrono::hours kRetryAfterMax{24};

// Different handlers and pools that one batch may need, and what a pool may be called: with its
// prefix it stands where a handler's name does.
inline constexpr int32_t kNeedsMax = 100;
inline constexpr int32_t kPoolNameBytesMax = 200;
static_assert(kPoolNameBytesMax < kNameBytesMax);
// Jobs of one batch that were passed over, since no worker for them was free, while others start.
inline constexpr int32_t kPassedOverMax = 1000;

inline constexpr std::chrono::seconds kWorkerLeaseDefault{10};

// Options.
inline constexpr std::chrono::hours kDurationMax{24 * 3653};  // ten years
inline constexpr int32_t kAttemptsMax = 1000;
inline constexpr int32_t kLostAttemptsMax = 100;
inline constexpr int32_t kLostAttemptsDefault = 3;
// The fold counts attempts in 16 bits.
static_assert(kAttemptsMax + kLostAttemptsMax < 1 << 15);
inline constexpr double kBackoffMultiplierMax = 100;
inline constexpr std::chrono::seconds kInitialBackoffDefault{1};
inline constexpr std::chrono::minutes kMaxBackoffDefault{5};
inline constexpr double kBackoffMultiplierDefault = 2;
inline constexpr double kJitterDefault = 0.2;
inline constexpr std::chrono::seconds kGraceDefault{5};
inline constexpr std::chrono::hours kGraceMax{1};
inline constexpr std::chrono::hours kRetentionDefault{24};

// Calls.
// In one Cancel or RetryJobs.
inline constexpr int32_t kJobIndexesMax = 10'000;
inline constexpr int32_t kCancelReasonBytesMax = 1 << 10;
inline constexpr int32_t kPageSizeDefault = 50;
inline constexpr int32_t kPageSizeMax = 1000;
inline constexpr int32_t kWorkersMax = 100'000;
// A reader of StreamErrors that is this far behind is ended.
inline constexpr int32_t kErrorsBehindMax = 10'000;
inline constexpr int64_t kErrorBytesBehindMax = 64 << 20;

// Uploads: at once; a message; what is gathered of one before it goes to the store; and how long
// its client may send nothing. A server has about three times the message and twice what is
// gathered of each in memory.
inline constexpr int32_t kUploadsDefault = 4;
inline constexpr int32_t kUploadsMax = 1000;
inline constexpr int64_t kUploadMessageBytesMax = kStockClientBytesMax;
inline constexpr int64_t kStagedBytesAtOnce = 1 << 20;
inline constexpr std::chrono::minutes kUploadIdleMax{10};

// Remote workers: what one may take at once, and offer.
inline constexpr int32_t kWorkerSlotsMax = 10'000;
inline constexpr int32_t kWorkerHandlersMax = 1000;
// A message of theirs. Stock clients and servers read so much.
inline constexpr int64_t kWorkerMessageBytesMax = 4 << 20;
// One that names all that it holds, which while the store is slow is more than its slots.
inline constexpr int64_t kWorkerIdsMessageBytesMax = 32 << 20;
static_assert(2 * kOutputBytesMax + (64 << 10) <= kWorkerMessageBytesMax, "an outcome must fit");

// After the last reader with cancel_on_disconnect went.
inline constexpr std::chrono::seconds kDisconnectGrace{10};

// Appended to the store and not yet stored: beyond this nothing is accepted or started.
inline constexpr int64_t kUncommittedBytesMax = 64 << 20;

// A request is remembered for so long after its batch has left the engine for the store. Who asked
// the store before must have done so not longer ago than this: then either the store had it, or it
// is remembered still.
inline constexpr std::chrono::minutes kRequestAfterBatch{1};
inline constexpr std::chrono::seconds kRequestLookUpAgeMax{30};
static_assert(kRequestLookUpAgeMax < kRequestAfterBatch);
// A request_id is known for at least so long after it was used.
inline constexpr std::chrono::hours kRequestKnown{24};

// Looking for what has expired in a durable store: how often, how much at a time, and the pause
// while there is more: 12,800 batches a second, in commits that delay nobody.
inline constexpr std::chrono::minutes kExpiryInterval{1};
inline constexpr int32_t kExpiredPageMax = 256;
inline constexpr std::chrono::milliseconds kExpiryPause{20};

// How much one Step does at most of what could be much: results of cancelled jobs, retries that
// came due. The rest waits for the next Step, so that inputs are never held up for long.
inline constexpr int32_t kSweptJobsPerStepMax = 4096;
// Attempts begun in one Step.
inline constexpr int32_t kStartsPerStepMax = 4096;

}  // namespace jobrunner::engine
