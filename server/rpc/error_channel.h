// The central error channel: what fails, of all batches, for who listens.

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/event_listener.h"

namespace jobrunner::rpc {

// Told that there are errors to take. Called on the engine's thread; must not block.
class ErrorReader {
 public:
  virtual ~ErrorReader() = default;
  virtual void ErrorsCame() = 0;
};

struct ErrorFilter {
  // Empty: all.
  std::string queue;
  // All of them must be there.
  std::vector<std::pair<std::string, std::string>> labels;

  bool Matches(const engine::BatchHeader& batch) const;
};

// What one reader has not taken yet: serialized BatchEvents, each with the tag and length of
// StreamErrorsResponse.events, shared between readers. Bounded: when it is full it gives up all it
// has, and counts from then on what its reader misses. Thread-safe.
class ErrorQueue {
 public:
  ErrorQueue(ErrorFilter filter, std::weak_ptr<ErrorReader> reader)
      : filter_(std::move(filter)), reader_(std::move(reader)) {}

  struct Taken {
    std::vector<std::shared_ptr<const std::string>> events;
    // More than 0: the reader was too slow, and this is how much it missed.
    int64_t missed = 0;
  };
  // Up to about `bytes_max`, and at least one if there is any; if there is none, the reader will be
  // told once when there is.
  Taken Take(int64_t bytes_max) ABSL_LOCKS_EXCLUDED(mutex_);

  const ErrorFilter& filter() const { return filter_; }

 private:
  friend class ErrorChannel;

  void Put(std::shared_ptr<const std::string> event) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the reader is to be told.
  bool Keep(std::shared_ptr<const std::string> event) ABSL_LOCKS_EXCLUDED(mutex_);

  const ErrorFilter filter_;
  const std::weak_ptr<ErrorReader> reader_;

  absl::Mutex mutex_;
  std::deque<std::shared_ptr<const std::string>> events_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t missed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool awaited_ ABSL_GUARDED_BY(mutex_) = false;
};

// Listens to the engine only while somebody reads. Thread-safe.
class ErrorChannel final : public engine::EventListener {
 public:
  // From now on the queue gets what matches, for as long as the caller holds it.
  std::shared_ptr<ErrorQueue> Subscribe(ErrorFilter filter, std::weak_ptr<ErrorReader> reader)
      ABSL_LOCKS_EXCLUDED(mutex_);

  Interest interest() const override;
  void Happened(const engine::BatchHeader& batch, const v1::Event& event, bool failure) override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::vector<std::shared_ptr<ErrorQueue>> QueuesFor(const engine::BatchHeader& batch)
      ABSL_LOCKS_EXCLUDED(mutex_);

  std::atomic<int64_t> reader_count_{0};
  absl::Mutex mutex_;
  std::vector<std::weak_ptr<ErrorQueue>> queues_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobrunner::rpc
