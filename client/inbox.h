#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobrunner::client {

// What other threads tell the one that decides, in order. Any thread may put; one takes.
template <typename Message>
class Inbox {
 public:
  explicit Inbox(size_t held_max) : held_max_(held_max) {}

  // Waits while the inbox is full: what produces without end is slowed to what is taken. After
  // Close the message is dropped.
  void Put(Message message) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Inbox::HasRoom));
    if (!closed_) messages_.push_back(std::move(message));
  }

  // Never waits; for the few messages that must not.
  void PutNow(Message message) {
    absl::MutexLock lock(&mutex_);
    if (!closed_) messages_.push_back(std::move(message));
  }

  // Waits for a message; none when `deadline` passes first.
  std::optional<Message> Take(absl::Time deadline) {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithDeadline(absl::Condition(this, &Inbox::HasMessage), deadline)) return {};
    Message message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

  bool Empty() const {
    absl::MutexLock lock(&mutex_);
    return messages_.empty();
  }

  // Nothing more is taken: lets go whoever waits in Put.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    messages_.clear();
  }

 private:
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return messages_.size() < held_max_ || closed_;
  }
  bool HasMessage() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !messages_.empty(); }

  const size_t held_max_;
  mutable absl::Mutex mutex_;
  std::deque<Message> messages_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobrunner::client
