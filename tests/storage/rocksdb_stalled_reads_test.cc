// A disk that lets who reads from it wait: T23 of docs/testing.md.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "storage/rocksdb_store.h"
#include "storage/store_writes.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {
namespace {

// The real file system, whose reads at a place wait while they are held. Thread-safe.
class HeldReads final : public rocksdb::FileSystemWrapper {
 public:
  HeldReads() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "HeldReads"; }

  void Hold(bool hold) {
    absl::MutexLock lock(&mutex_);
    hold_ = hold;
  }
  // Blocks until a read waits.
  void AwaitHeld() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* waiting) { return *waiting > 0; }, &waiting_));
  }
  void Pass() {
    absl::MutexLock lock(&mutex_);
    ++waiting_;
    mutex_.Await(absl::Condition(
        +[](bool* hold) { return !*hold; }, &hold_));
    --waiting_;
  }

  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* context) override {
    rocksdb::IOStatus status = target()->NewRandomAccessFile(path, options, file, context);
    if (status.ok()) *file = std::make_unique<File>(std::move(*file), this);
    return status;
  }

 private:
  class File final : public rocksdb::FSRandomAccessFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSRandomAccessFile> file, HeldReads* reads)
        : FSRandomAccessFileOwnerWrapper(std::move(file)), reads_(*reads) {}
    rocksdb::IOStatus Read(uint64_t offset, size_t count, const rocksdb::IOOptions& options,
                           rocksdb::Slice* result, char* scratch,
                           rocksdb::IODebugContext* context) const override {
      reads_.Pass();
      return FSRandomAccessFileOwnerWrapper::Read(offset, count, options, result, scratch, context);
    }

   private:
    HeldReads& reads_;
  };

  absl::Mutex mutex_;
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

class RocksDbStalledReadsTest : public testing::Test {
 protected:
  std::unique_ptr<RocksDbStore> Open() {
    auto store = RocksDbStore::Open(directory_.PathOf("store"), {.env = env_.get()}).value();
    EXPECT_TRUE(store->Recover().ok());
    return store;
  }
  // The batch's request has the same id.
  static engine::Write AcceptWithRequest(const std::string& id) {
    engine::Write write = Accept(id);
    auto& accepted = std::get<engine::Accepted>(std::get<engine::Append>(write).record);
    auto header = std::make_shared<engine::BatchHeader>(*accepted.header);
    header->request_id = id;
    accepted.header = std::move(header);
    return write;
  }

  const test::TemporaryDirectory directory_;
  const std::shared_ptr<HeldReads> disk_ = std::make_shared<HeldReads>();
  const std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
};

TEST_F(RocksDbStalledReadsTest, WhoAsksForARequestDoesNotWaitForTheDisk) {
  // Some blocks of requests, which nothing but the question will read.
  std::vector<engine::Write> writes;
  for (int i = 0; i < 3000; ++i) writes.push_back(AcceptWithRequest("a" + std::to_string(i)));
  ASSERT_TRUE(Commit(*Open(), std::move(writes)).ok());
  // What was in the log is in a table when a store is opened again.
  const auto store = Open();
  disk_->Hold(true);
  absl::StatusOr<engine::KnownRequest> answer = absl::UnknownError("no answer");
  absl::Notification answered;
  // On a thread that serves others too: it returns.
  store->FindRequest("a500", [&](absl::StatusOr<engine::KnownRequest> known) {
    answer = std::move(known);
    answered.Notify();
  });
  disk_->AwaitHeld();
  EXPECT_FALSE(answered.HasBeenNotified());
  disk_->Hold(false);
  answered.WaitForNotification();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->batch_id, "a500");
}

}  // namespace
}  // namespace jobrunner::storage
