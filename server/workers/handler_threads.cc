#include "workers/handler_threads.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

namespace jobrunner::workers {

using base::MonitorLock;
using base::SteadyTime;

namespace {

constexpr int kSlowInARow = 4;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

class HandlerThreads::Crew : public std::enable_shared_from_this<Crew> {
 public:
  explicit Crew(Perform perform) : perform_(std::move(perform)) {}

  void Add(std::vector<std::unique_ptr<HandlerAttempt>> attempts) ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    for (auto& attempt : attempts) queue_.push_back(std::move(attempt));
    SendForOne();
  }

  // A thread's whole life.
  void Work() ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    // It was made because it was needed.
    bool on_my_way = true;
    while (AwaitTurn(on_my_way)) on_my_way = WorkOff();
    --threads_;
  }

  void StartFirst() ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    on_its_way_ = true;
    StartOne();
  }

  void KeepIdle(int threads) ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    kept_ = std::max(1, threads);
  }

  void CountLost(int threads) ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    if (threads == 0) return;
    lost_ += threads;
    monitor_.SignalAll();
  }

  Untaken Close() ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    ended_ = true;
    monitor_.SignalAll();
    return std::exchange(queue_, {});
  }

  bool AwaitReturn(SteadyTime deadline) ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    while (working_ > lost_ && monitor_.WaitUntil(deadline)) {
    }
    return working_ <= lost_;
  }

  int count() ABSL_LOCKS_EXCLUDED(monitor_) {
    MonitorLock lock(&monitor_);
    return threads_;
  }

 private:
  // Takes attempts until none is left or others do them as well. Returns whether this thread stands
  // by for the next one. The lock is not held while one is performed.
  bool WorkOff() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    SteadyTime now = Now();
    ++working_;
    while (!queue_.empty() && !IsOneTooMany(now)) now = PerformNext(now);
    --working_;
    if (last_taker_ == std::this_thread::get_id()) last_taken_ = SteadyTime::min();
    if (ended_) monitor_.SignalAll();
    return !queue_.empty() && !std::exchange(on_its_way_, true);
  }

  // Returns when it ended, as the time of the next turn.
  SteadyTime PerformNext(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    std::unique_ptr<HandlerAttempt> attempt = std::move(queue_.front());
    queue_.pop_front();
    last_taken_ = now;
    last_taker_ = std::this_thread::get_id();
    SendForOne();
    monitor_.Unlock();
    const Performed performed = perform_(std::move(attempt));
    monitor_.Lock();
    stalled_ = false;
    slow_in_a_row_ = performed.end - performed.start < kQuickTime ? 0 : slow_in_a_row_ + 1;
    if (performed.was_lost) --lost_;
    return performed.end;
  }

  // Whether one other thread keeps up with the work, which takes no time.
  bool IsOneTooMany(SteadyTime now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    return slow_in_a_row_ == 0 && last_taker_ != std::this_thread::get_id() &&
           last_taken_ != SteadyTime::min() && now < last_taken_ + kStallTime;
  }

  // Makes sure that a thread is on its way when there is work to take.
  void SendForOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    if (queue_.empty() || on_its_way_) return;
    on_its_way_ = true;
    if (idle_ > 0) {
      called_ = true;
      monitor_.Signal();
    } else {
      StartOne();
    }
  }

  void StartOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    try {
      std::thread([crew = shared_from_this()] { crew->Work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // The machine gives no more threads: those there are will come to it.
      on_its_way_ = false;
    }
  }

  // Waits until it is on this thread to take an attempt. False when the thread is to end.
  bool AwaitTurn(bool on_my_way) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    while (true) {
      while (queue_.empty() || !on_my_way) {
        if (on_my_way) on_its_way_ = false;
        if (!AwaitCall()) return false;
        on_my_way = true;
      }
      if (!OthersGetOn()) break;
      monitor_.WaitUntil(last_taken_ + kStallTime);
    }
    on_its_way_ = false;
    return true;
  }

  // Whether a thread at work may still get to the queue sooner than the caller would.
  bool OthersGetOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    if (stalled_ || slow_in_a_row_ >= kSlowInARow || last_taken_ == SteadyTime::min()) return false;
    stalled_ = Now() >= last_taken_ + kStallTime;
    return !stalled_;
  }

  // Sleeps until called. False when the thread is to end.
  bool AwaitCall() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    if (IsSurplus()) return false;
    ++idle_;
    while (!called_ && !ended_) {
      if (!monitor_.WaitUntil(Now() + kIdleTime) && threads_ > kept_) break;
    }
    --idle_;
    idle_low_ = std::min(idle_low_, idle_);
    return std::exchange(called_, false) && !ended_;
  }

  // As many threads are surplus as were idle all through the last kIdleTime: calls go round, so
  // that with a little work now and then no single thread would ever be idle for long.
  bool IsSurplus() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    const SteadyTime now = Now();
    if (now >= census_) {
      surplus_ = idle_low_;
      idle_low_ = idle_;
      census_ = now + kIdleTime;
    }
    if (surplus_ == 0 || threads_ <= kept_) return false;
    --surplus_;
    return true;
  }

  const Perform perform_;

  base::Monitor monitor_;
  Untaken queue_ ABSL_GUARDED_BY(monitor_);
  int kept_ ABSL_GUARDED_BY(monitor_) = 1;
  int threads_ ABSL_GUARDED_BY(monitor_) = 0;
  // Sleep until called.
  int idle_ ABSL_GUARDED_BY(monitor_) = 0;
  // The fewest that slept since the last census, and when the next one is.
  int idle_low_ ABSL_GUARDED_BY(monitor_) = 0;
  SteadyTime census_ ABSL_GUARDED_BY(monitor_) = Now() + kIdleTime;
  int surplus_ ABSL_GUARDED_BY(monitor_) = 0;
  // Have taken an attempt.
  int working_ ABSL_GUARDED_BY(monitor_) = 0;
  int lost_ ABSL_GUARDED_BY(monitor_) = 0;
  // A thread was called, was made, or stands by: it will take an attempt or find none left.
  bool on_its_way_ ABSL_GUARDED_BY(monitor_) = false;
  // The call that one idle thread is to answer.
  bool called_ ABSL_GUARDED_BY(monitor_) = false;
  // No thread at work came back since the last stall was seen.
  bool stalled_ ABSL_GUARDED_BY(monitor_) = false;
  // Attempts that ended last and took more than kQuickTime. A thread that loses its core for a
  // while makes one look slow, hardly several in a row.
  int slow_in_a_row_ ABSL_GUARDED_BY(monitor_) = 0;
  // When the thread that took the last attempt did; min() when it has gone idle since.
  SteadyTime last_taken_ ABSL_GUARDED_BY(monitor_) = SteadyTime::min();
  std::thread::id last_taker_ ABSL_GUARDED_BY(monitor_);
  bool ended_ ABSL_GUARDED_BY(monitor_) = false;
};

HandlerThreads::HandlerThreads(Perform perform)
    : crew_(std::make_shared<Crew>(std::move(perform))) {
  crew_->StartFirst();
}

HandlerThreads::~HandlerThreads() {
  Close();
  AwaitReturn(SteadyTime::max());
}

void HandlerThreads::Add(std::vector<std::unique_ptr<HandlerAttempt>> attempts) {
  crew_->Add(std::move(attempts));
}

void HandlerThreads::KeepIdle(int threads) { crew_->KeepIdle(threads); }

void HandlerThreads::CountLost(int threads) { crew_->CountLost(threads); }

HandlerThreads::Untaken HandlerThreads::Close() { return crew_->Close(); }

bool HandlerThreads::AwaitReturn(SteadyTime deadline) { return crew_->AwaitReturn(deadline); }

int HandlerThreads::count() const { return crew_->count(); }

}  // namespace jobrunner::workers
