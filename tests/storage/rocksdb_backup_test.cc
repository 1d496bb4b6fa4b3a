// Backups and what is restored from them: T16 of docs/testing.md for the store alone.

#include "storage/rocksdb_backup.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "storage/restore.h"
#include "storage/rocksdb_store.h"
#include "storage/store_writes.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BackupTest : public testing::Test {
 protected:
  BackupTest() : store_(RocksDbStore::Open(directory_.PathOf("store"), {}).value()) {
    epoch_ = store_->Recover()->epoch;
  }

  std::string Backups() { return directory_.PathOf("backups"); }
  std::string Restored() { return directory_.PathOf("restored"); }

  absl::StatusOr<Backup> BackUp(int32_t keep = 0) {
    std::optional<absl::StatusOr<Backup>> result;
    absl::Notification done;
    store_->BackUp(Backups(), keep, [&](absl::StatusOr<Backup> made) {
      result = std::move(made);
      done.Notify();
    });
    done.WaitForNotification();
    return *std::move(result);
  }

  absl::Status Restore(uint32_t number = 0) {
    return storage::Restore(Backups(), number, Restored(),
                            [this](const std::string& fault) { faults_.push_back(fault); });
  }

  // The batches that have not finished in a store.
  static std::vector<std::string> Unfinished(const std::string& directory) {
    std::vector<std::string> ids;
    const auto store = RocksDbStore::Open(directory, {});
    EXPECT_TRUE(store.ok()) << store.status();
    const auto recovery = (*store)->Recover();
    for (const auto& batch : recovery->unfinished) ids.push_back(batch->id());
    return ids;
  }

  std::vector<uint32_t> Numbers() {
    std::vector<uint32_t> numbers;
    const auto backups = ListBackups(Backups());
    for (const Backup& backup : *backups) numbers.push_back(backup.number);
    return numbers;
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
  uint32_t epoch_ = 0;
  std::vector<std::string> faults_;
};

TEST_F(BackupTest, HasWhatWasStoredWhenItWasAskedFor) {
  ASSERT_TRUE(Commit(*store_, {Accept("a", OneJob())}).ok());
  ASSERT_EQ(BackUp()->number, 1);
  ASSERT_TRUE(Commit(*store_, {Accept("b", OneJob())}).ok());
  ASSERT_EQ(BackUp()->number, 2);
  ASSERT_TRUE(Commit(*store_, {Accept("c", OneJob())}).ok());

  ASSERT_TRUE(Restore(1).ok());
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a"));
  fs::remove_all(Restored());
  ASSERT_TRUE(Restore().ok()) << "the newest";
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a", "b"));
  EXPECT_THAT(faults_, IsEmpty());
}

TEST_F(BackupTest, ARestoredStoreKnowsTheRequestsAndHasEpochsOfItsOwn) {
  ASSERT_TRUE(Commit(*store_, Whole({.id = "a", .request_id = "r"})).ok());
  ASSERT_TRUE(BackUp().ok());
  store_.reset();
  ASSERT_TRUE(Restore().ok());
  uint32_t epoch = 0;
  {
    const auto restored = RocksDbStore::Open(Restored(), {}).value();
    epoch = restored->Recover()->epoch;
    EXPECT_GT(epoch, epoch_ + 60'000);
    restored->FindRequest(
        "r", [](absl::StatusOr<engine::KnownRequest> known) { EXPECT_EQ(known->batch_id, "a"); });
  }
  // Two stores of one backup are two stores.
  fs::rename(Restored(), directory_.PathOf("first"));
  ASSERT_TRUE(Restore().ok());
  EXPECT_NE(RocksDbStore::Open(Restored(), {}).value()->Recover()->epoch, epoch);
}

TEST_F(BackupTest, KeepsTheNewestAsManyAsItIsTold) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Commit(*store_, {Accept("a" + std::to_string(i), OneJob())}).ok());
    ASSERT_TRUE(BackUp(i < 3 ? 0 : 2).ok());
  }
  EXPECT_THAT(Numbers(), ElementsAre(3, 4));
  ASSERT_TRUE(Restore(3).ok());
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a0", "a1", "a2"));
}

// A crash in the midst: the file that makes it a backup has not got its name yet.
TEST_F(BackupTest, OneThatWasCutShortIsNone) {
  ASSERT_TRUE(Commit(*store_, {Accept("a", OneJob())}).ok());
  ASSERT_TRUE(BackUp().ok());
  ASSERT_TRUE(Commit(*store_, {Accept("b", OneJob())}).ok());
  ASSERT_TRUE(BackUp().ok());
  fs::rename(Backups() + "/meta/2", Backups() + "/meta/.2.tmp");
  EXPECT_THAT(Numbers(), ElementsAre(1));
  EXPECT_EQ(Restore(2).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(Restored()));
  ASSERT_TRUE(Restore().ok());
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a"));
  // The next one is whole, and the rest of the other is gone.
  ASSERT_TRUE(BackUp().ok());
  EXPECT_FALSE(fs::exists(Backups() + "/meta/.2.tmp"));
  fs::remove_all(Restored());
  ASSERT_TRUE(Restore().ok());
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a", "b"));
}

TEST_F(BackupTest, ADamagedBackupIsNotRestored) {
  ASSERT_TRUE(Commit(*store_, {Accept("a", OneJob())}).ok());
  ASSERT_TRUE(BackUp().ok());
  int flipped = 0;
  for (const auto& entry : fs::recursive_directory_iterator(Backups() + "/shared_checksum")) {
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file.put('\x7f');
    ++flipped;
  }
  ASSERT_GT(flipped, 0);
  EXPECT_EQ(Restore().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(fs::exists(Restored()));
  EXPECT_FALSE(fs::exists(Restored() + ".restoring"));
}

TEST_F(BackupTest, IsNotRestoredOverAnything) {
  ASSERT_TRUE(BackUp().ok());
  fs::create_directory(Restored());
  EXPECT_TRUE(Restore().ok()) << "an empty directory";
  EXPECT_EQ(Restore().code(), absl::StatusCode::kFailedPrecondition) << "a store";
  fs::remove_all(Restored());
  fs::create_directory(Restored() + ".restoring");
  const absl::Status cut_short = Restore();
  EXPECT_EQ(cut_short.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(cut_short.message()), HasSubstr("cut short"));
  EXPECT_TRUE(fs::exists(Restored() + ".restoring"));
}

TEST_F(BackupTest, FindsNoneWhereThereIsNone) {
  EXPECT_EQ(Restore().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(Backups()));
}

TEST_F(BackupTest, IsNotMadeWhereOthersMayWrite) {
  fs::create_directory(Backups());
  ASSERT_EQ(chmod(Backups().c_str(), 0777), 0);
  EXPECT_EQ(BackUp().status().code(), absl::StatusCode::kFailedPrecondition);
  fs::remove_all(Backups());
  ASSERT_TRUE(BackUp().ok());
  EXPECT_EQ(fs::status(Backups()).permissions(), fs::perms::owner_all);
}

TEST_F(BackupTest, CommitsGoOnMeanwhile) {
  ASSERT_TRUE(Commit(*store_, {Accept("a", OneJob())}).ok());
  std::optional<absl::StatusOr<Backup>> result;
  absl::Notification done;
  store_->BackUp(Backups(), 0, [&](absl::StatusOr<Backup> made) {
    result = std::move(made);
    done.Notify();
  });
  int commits = 0;
  while (!done.HasBeenNotified() || commits < 10) {
    ASSERT_TRUE(Commit(*store_, {Cancel("a")}).ok());
    ++commits;
  }
  ASSERT_TRUE((*result).ok()) << result->status();
  ASSERT_TRUE(Restore().ok());
  EXPECT_THAT(Unfinished(Restored()), ElementsAre("a"));
}

}  // namespace
}  // namespace jobrunner::storage
