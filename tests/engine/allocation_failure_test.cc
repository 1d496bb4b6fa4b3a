// What has no effect but its result gives it, or std::bad_alloc and nothing: every allocation of it
// fails in turn (T14 of docs/testing.md, after SQLite's out-of-memory tests). Under asan this also
// finds what is leaked on the way. What makes messages of Protobuf's, or has hash tables of
// Abseil's, is not among it: these do not outlive a failed allocation of their own.

#include <cstdlib>
#include <functional>
#include <new>

#include "base/mailbox.h"
#include "engine/fingerprint.h"
#include "gtest/gtest.h"

namespace {

// Of this thread: allocations until one fails; 0: none does.
thread_local int until_failure = 0;
thread_local bool has_failed = false;

}  // namespace

// The whole program's, since there is no other way: they do as the library's unless told otherwise.
// Inlined, gcc would take them for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (until_failure > 0 && --until_failure == 0) {
    has_failed = true;
    throw std::bad_alloc();
  }
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size > 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace jobrunner::engine {
namespace {

// Has each allocation of `work` fail in turn, until it gets through. Returns how many failed.
int FailEachAllocation(const std::function<void()>& work) {
  for (int failures = 0;; ++failures) {
    has_failed = false;
    until_failure = failures + 1;
    try {
      work();
    } catch (const std::bad_alloc&) {
    }
    until_failure = 0;
    if (!has_failed) return failures;
  }
}

TEST(AllocationFailure, OfAFingerprintLeavesNothing) {
  v1::Job job;
  job.mutable_handler()->set_payload(std::string(100, 'x'));
  EXPECT_GT(FailEachAllocation([&] {
              Fingerprint fingerprint;
              fingerprint.AddJob(job);
              EXPECT_EQ(fingerprint.Finish({}).size(), 16);
            }),
            1);
}

TEST(AllocationFailure, OfAMailboxLosesWhatWasNotPutAlone) {
  EXPECT_GT(FailEachAllocation([] {
              base::Mailbox<std::string> mailbox;
              size_t put = 0;
              try {
                for (; put < 20; ++put) mailbox.Put(std::string(100, 'x'));
              } catch (const std::bad_alloc&) {
              }
              until_failure = 0;
              mailbox.Close();
              std::vector<std::string> taken;
              if (put > 0) {
                ASSERT_TRUE(mailbox.Take(&taken));
                EXPECT_EQ(taken.size(), put);
              }
            }),
            20);
}

}  // namespace
}  // namespace jobrunner::engine
