// What has no effect but its result gives it, or std::bad_alloc and nothing: every allocation of it
// fails in turn (T14 of docs/testing.md, after SQLite's out-of-memory tests). Under asan this also
// finds what is leaked on the way. What has hash tables of Abseil's is not among it: these do not
// outlive a failed allocation of their own.

#include <cstdlib>
#include <functional>
#include <new>

#include "base/mailbox.h"
#include "engine/fingerprint.h"
#include "engine/segment.h"
#include "engine/shard_jobs.h"
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

v1::BatchSpec SomeJobs() {
  v1::BatchSpec jobs;
  for (int i = 0; i < 5; ++i) {
    v1::Job& job = *jobs.add_jobs();
    job.set_key("a key that is too long to lie in the string itself " + std::to_string(i));
    job.mutable_handler()->set_name("echo");
    job.mutable_handler()->set_payload(std::string(100, 'x'));
  }
  jobs.add_jobs()->set_count(3);
  return jobs;
}

std::shared_ptr<const Segment> SomeEvents() {
  SegmentBuilder builder(1);
  for (int i = 1; i <= 5; ++i) {
    v1::Event event;
    event.set_sequence(i);
    event.mutable_result()->set_output(std::string(100, 'x'));
    builder.Add(event);
  }
  return builder.Build();
}

TEST(AllocationFailure, OfASegmentLeavesNothing) {
  EXPECT_GT(FailEachAllocation([] { EXPECT_EQ(SomeEvents()->size(), 5); }), 5);
  const std::string bytes = SomeEvents()->bytes();
  EXPECT_GT(FailEachAllocation([&] {
              const auto segment = Segment::Parse(1, bytes);
              ASSERT_TRUE(segment.ok());
              EXPECT_EQ((*segment)->EventAt(5).sequence(), 5);
            }),
            3);
}

TEST(AllocationFailure, OfAShardsJobsLeavesNothing) {
  const std::string bytes = SomeJobs().SerializeAsString();
  EXPECT_GT(FailEachAllocation([&] {
              const auto jobs = ShardJobs::Parse("a", 0, bytes);
              ASSERT_TRUE(jobs.ok());
              EXPECT_EQ((*jobs)->size(), 8);
            }),
            3);
}

TEST(AllocationFailure, OfAFingerprintLeavesNothing) {
  const v1::BatchSpec spec = SomeJobs();
  EXPECT_GT(FailEachAllocation([&] {
              Fingerprint fingerprint;
              fingerprint.AddJob(spec.jobs(0));
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
