#include "embedded/log_cursor.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "engine/limits.h"

namespace jobrunner::embedded {

// Passes the word that the log grew to the thread that waits for it.
class LogCursor::Growth final : public engine::LogReader {
 public:
  void LogGrew() override {
    absl::MutexLock lock(&mutex_);
    grew_ = true;
  }

  void Await() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&grew_));
    grew_ = false;
  }

 private:
  absl::Mutex mutex_;
  bool grew_ ABSL_GUARDED_BY(mutex_) = false;
};

LogCursor::LogCursor(engine::Store* store, engine::EventLogs* logs, std::string batch_id,
                     int64_t after_sequence)
    : store_(store),
      logs_(logs),
      batch_id_(std::move(batch_id)),
      growth_(std::make_shared<Growth>()),
      sequence_(after_sequence) {}

absl::StatusOr<engine::LogPage> LogCursor::Next() {
  if (finished_) return engine::LogPage();
  for (;;) {
    // Before reading: what is complete now grows no more.
    const auto awaited = logs_->Await(batch_id_, sequence_, growth_);
    if (awaited == engine::EventLogs::Awaited::kWaiting) {
      growth_->Await();
      continue;
    }
    auto page = Read();
    const bool complete = awaited == engine::EventLogs::Awaited::kNotLive;
    if (!page.ok() || !page->segments.empty() || complete) return page;
  }
}

absl::StatusOr<engine::LogPage> LogCursor::Read() {
  absl::StatusOr<engine::LogPage> page;
  absl::Notification done;
  store_->ReadLog(batch_id_, sequence_, engine::kMessageBytesMax,
                  [&](absl::StatusOr<engine::LogPage> read) {
                    page = std::move(read);
                    done.Notify();
                  });
  done.WaitForNotification();
  if (page.ok() && !page->segments.empty()) sequence_ = page->segments.back()->last_sequence();
  finished_ = page.ok() && page->finished;
  return page;
}

}  // namespace jobrunner::embedded
