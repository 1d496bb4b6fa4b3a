// absl::Mutex, absl::CondVar and absl::Notification for the thread sanitizer, over std::mutex.
//
// The system's Abseil is not compiled with the sanitizer, which therefore sees none of its locking
// and takes everything that a Mutex guards for a data race. A program that links this file uses
// these definitions instead of the shared library's, and so do the libraries it loads. It is linked
// in builds with the thread sanitizer alone.
//
// Readers exclude each other here; nothing else differs.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/check.h"

namespace {

// What the word inside an absl::Mutex points to, from its first use on.
struct MutexState {
  std::mutex mutex;
  // Waiters for a Condition look again after each unlock.
  std::condition_variable unlocked;
  int waiters = 0;
};

template <class State>
State& StateOf(std::atomic<intptr_t>& word) {
  intptr_t state = word.load(std::memory_order_acquire);
  if (state != 0) return *reinterpret_cast<State*>(state);
  auto* made = new State;
  if (word.compare_exchange_strong(state, reinterpret_cast<intptr_t>(made),
                                   std::memory_order_acq_rel)) {
    return *made;
  }
  delete made;
  return *reinterpret_cast<State*>(state);
}

MutexState& StateOf(absl::Mutex* mutex) {
  static_assert(sizeof(absl::Mutex) == sizeof(std::atomic<intptr_t>));
  return StateOf<MutexState>(*reinterpret_cast<std::atomic<intptr_t>*>(mutex));
}

std::condition_variable& SignalOf(absl::CondVar* signal) {
  static_assert(sizeof(absl::CondVar) == sizeof(std::atomic<intptr_t>));
  return StateOf<std::condition_variable>(*reinterpret_cast<std::atomic<intptr_t>*>(signal));
}

template <class State>
void DeleteState(void* word) {
  delete reinterpret_cast<State*>(static_cast<std::atomic<intptr_t>*>(word)->load());
}

// Waits for `signal`, or for `deadline`. The mutex is held before and after. False at the deadline.
bool WaitFor(std::condition_variable& signal, MutexState& state, absl::Time deadline) {
  std::unique_lock<std::mutex> lock(state.mutex, std::adopt_lock);
  if (state.waiters > 0) state.unlocked.notify_all();
  bool signalled = true;
  if (deadline == absl::InfiniteFuture()) {
    signal.wait(lock);
  } else {
    signalled = signal.wait_until(lock, absl::ToChronoTime(deadline)) == std::cv_status::no_timeout;
  }
  lock.release();
  return signalled;
}

bool AwaitUntil(MutexState& state, const absl::Condition& condition, absl::Time deadline) {
  ++state.waiters;
  bool in_time = true;
  while (!condition.Eval() && in_time) in_time = WaitFor(state.unlocked, state, deadline);
  --state.waiters;
  return condition.Eval();
}

absl::Time DeadlineAfter(absl::Duration timeout) { return absl::Now() + timeout; }

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() { DeleteState<MutexState>(this); }

void Mutex::Lock() { StateOf(this).mutex.lock(); }

// The waiters are told before the lock is given up: afterwards, the mutex may be gone.
void Mutex::Unlock() {
  MutexState& state = StateOf(this);
  if (state.waiters > 0) state.unlocked.notify_all();
  state.mutex.unlock();
}

bool Mutex::TryLock() { return StateOf(this).mutex.try_lock(); }
void Mutex::AssertHeld() const {}
void Mutex::AssertNotHeld() const {}
void Mutex::ReaderLock() { Lock(); }
void Mutex::ReaderUnlock() { Unlock(); }
bool Mutex::ReaderTryLock() { return TryLock(); }
void Mutex::AssertReaderHeld() const {}

void Mutex::Await(const Condition& cond) { AwaitWithDeadline(cond, InfiniteFuture()); }
bool Mutex::AwaitWithTimeout(const Condition& cond, Duration timeout) {
  return AwaitWithDeadline(cond, DeadlineAfter(timeout));
}
bool Mutex::AwaitWithDeadline(const Condition& cond, Time deadline) {
  return AwaitUntil(StateOf(this), cond, deadline);
}

void Mutex::LockWhen(const Condition& cond) { LockWhenWithDeadline(cond, InfiniteFuture()); }
bool Mutex::LockWhenWithTimeout(const Condition& cond, Duration timeout) {
  return LockWhenWithDeadline(cond, DeadlineAfter(timeout));
}
bool Mutex::LockWhenWithDeadline(const Condition& cond, Time deadline) {
  Lock();
  return AwaitWithDeadline(cond, deadline);
}
void Mutex::ReaderLockWhen(const Condition& cond) { LockWhen(cond); }
bool Mutex::ReaderLockWhenWithTimeout(const Condition& cond, Duration timeout) {
  return LockWhenWithTimeout(cond, timeout);
}
bool Mutex::ReaderLockWhenWithDeadline(const Condition& cond, Time deadline) {
  return LockWhenWithDeadline(cond, deadline);
}

void Mutex::EnableInvariantDebugging(void (*)(void*), void*) {}
void Mutex::EnableDebugLog(const char*) {}
void Mutex::ForgetDeadlockInfo() {}

CondVar::~CondVar() { DeleteState<std::condition_variable>(this); }
void CondVar::Wait(Mutex* mu) { WaitWithDeadline(mu, InfiniteFuture()); }
bool CondVar::WaitWithTimeout(Mutex* mu, Duration timeout) {
  return WaitWithDeadline(mu, DeadlineAfter(timeout));
}
// True when the deadline has passed.
bool CondVar::WaitWithDeadline(Mutex* mu, Time deadline) {
  return !WaitFor(SignalOf(this), StateOf(mu), deadline);
}
void CondVar::Signal() { SignalOf(this).notify_one(); }
void CondVar::SignalAll() { SignalOf(this).notify_all(); }
void CondVar::EnableDebugLog(const char*) {}

Notification::~Notification() {
  // Waits for a Notify that is still inside the lock.
  mutex_.Lock();
  mutex_.Unlock();
}
void Notification::Notify() {
  MutexLock lock(&mutex_);
  JOBRUNNER_CHECK(!notified_yet_.exchange(true, std::memory_order_release));
}
void Notification::WaitForNotification() const {
  WaitForNotificationWithDeadline(InfiniteFuture());
}
bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  return WaitForNotificationWithDeadline(DeadlineAfter(timeout));
}
bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  const bool notified =
      mutex_.LockWhenWithDeadline(Condition(&HasBeenNotifiedInternal, &notified_yet_), deadline);
  mutex_.Unlock();
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
