// A store on a disk that fails, or that has lost something: T05 to T12 of docs/testing.md.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/prng.h"
#include "gmock/gmock.h"
#include "rocksdb/env.h"
#include "storage/rocksdb_faulty_disk.h"
#include "storage/rocksdb_store.h"
#include "storage/store_writes.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;
using engine::Sync;
using test::DiskOperation;
using test::FaultyDisk;
using testing::HasSubstr;

// So that two or three of them fill a memtable, which then is flushed.
constexpr size_t kLargeBytes = 9 << 20;

std::string Noise(size_t bytes) {
  base::Prng prng(bytes);
  std::string noise(bytes, '\0');
  for (char& byte : noise) byte = static_cast<char>(prng.Next());
  return noise;
}

class RocksDbFaultsTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<RocksDbStore>> Open() {
    RocksDbOptions options;
    options.env = env_.get();
    options.failed = [this](const absl::Status& status) {
      absl::MutexLock lock(&mutex_);
      failures_.push_back(status);
    };
    return RocksDbStore::Open(Path(), std::move(options));
  }
  // Ready for commits, with a batch "a".
  std::unique_ptr<RocksDbStore> Begin() {
    auto store = Open().value();
    EXPECT_TRUE(store->Recover().ok());
    EXPECT_TRUE(Commit(*store, {Accept("a")}).ok());
    return store;
  }

  std::string Path() { return directory_.PathOf("store"); }
  std::string Mark() { return Path() + "/SYNCED"; }

  // The logs there are, by their age.
  std::vector<fs::path> Logs() { return Files(".log"); }
  std::vector<fs::path> Files(const std::string& extension) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(Path() + "/rocksdb")) {
      if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  static void Flip(const fs::path& file, uintmax_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.get());
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(byte ^ 0x10));
    ASSERT_TRUE(stream.good());
  }

  // As on a disk that got the file's length and not its last bytes.
  static void Zero(const fs::path& file, uintmax_t from) {
    const uintmax_t size = fs::file_size(file);
    fs::resize_file(file, from);
    fs::resize_file(file, size);
  }

  // What opening and reading all that is unfinished comes to, on a disk without faults.
  absl::StatusOr<engine::Recovery> Reopen() {
    auto store = RocksDbStore::Open(Path(), {});
    if (!store.ok()) return store.status();
    return (*store)->Recover();
  }
  absl::StatusCode ReopenCode() { return Reopen().status().code(); }
  // How many records "a" has, counted as cancels; −1 when it is not there. Recover itself refuses a
  // gap among them.
  int64_t Records() {
    const auto recovery = Reopen();
    EXPECT_TRUE(recovery.ok()) << recovery.status();
    if (!recovery.ok()) return -1;
    for (const auto& batch : recovery->unfinished) {
      if (batch->id() == "a") return batch->last_time().time_since_epoch().count();
    }
    return -1;
  }
  // A record that says which one it is.
  engine::Write Number(int64_t number) {
    engine::CancelRequested cancel;
    cancel.time = base::WallTime(std::chrono::nanoseconds(number));
    return engine::Append{"a", cancel};
  }

  std::vector<absl::Status> failures() {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }

  test::TemporaryDirectory directory_;
  std::shared_ptr<FaultyDisk> disk_ = std::make_shared<FaultyDisk>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
  absl::Mutex mutex_;
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
};

// T05.
TEST_F(RocksDbFaultsTest, HasWhatWasAcknowledgedAfterUnsyncedWritesAreLost) {
  base::Prng prng(5);
  for (int power_cut = 0; power_cut < 20; ++power_cut) {
    fs::remove_all(Path());
    auto store = Begin();
    const auto acknowledged = static_cast<int64_t>(prng.Below(30));
    const auto unsynced = 1 + static_cast<int64_t>(prng.Below(5));
    for (int64_t i = 1; i <= acknowledged; ++i) {
      const Sync sync = i == acknowledged || prng.Below(2) == 0 ? Sync::kNow : Sync::kWithNext;
      ASSERT_TRUE(Commit(*store, {Number(i)}, sync).ok());
    }
    for (int64_t i = 1; i <= unsynced; ++i) {
      ASSERT_TRUE(Commit(*store, {Number(acknowledged + i)}, Sync::kWithNext).ok());
    }
    disk_->CutPower();
    store.reset();
    disk_->LoseWhatWasNotSynced(prng.Next());
    const int64_t records = Records();
    EXPECT_GE(records, acknowledged) << "cut " << power_cut;
    EXPECT_LE(records, acknowledged + unsynced) << "cut " << power_cut;
  }
  EXPECT_GT(disk_->bytes_lost(), 0);
}

// T05, while tables are written.
TEST_F(RocksDbFaultsTest, HasWhatWasAcknowledgedWhenThePowerGoesDuringFlushes) {
  const std::string large = Noise(kLargeBytes);
  for (int commits : {3, 4}) {
    fs::remove_all(Path());
    auto store = Begin();
    for (int i = 1; i <= commits; ++i) {
      ASSERT_TRUE(Commit(*store, {Accept("large " + std::to_string(i), large)}).ok());
    }
    ASSERT_TRUE(Commit(*store, {Number(1)}, Sync::kWithNext).ok());
    disk_->CutPower();
    store.reset();
    disk_->LoseWhatWasNotSynced(commits);
    const auto recovery = Reopen();
    ASSERT_TRUE(recovery.ok()) << recovery.status();
    EXPECT_EQ(static_cast<int>(recovery->unfinished.size()), 1 + commits);
  }
  EXPECT_GT(disk_->bytes_lost(), 0);
}

// T06: with syncs that are none, the same as in T05 loses what was acknowledged. A start says so;
// and without the mark, which the power may take too, the loss is there to be counted.
TEST_F(RocksDbFaultsTest, ALossOfWhatWasAcknowledgedIsSeen) {
  auto store = Begin();
  disk_->LieAboutSyncs();
  for (int64_t i = 1; i <= 20; ++i) ASSERT_TRUE(Commit(*store, {Number(i)}).ok());
  disk_->CutPower();
  store.reset();
  disk_->LoseWhatWasNotSynced(0);
  ASSERT_GT(disk_->bytes_lost(), 0);
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
  fs::remove(Mark());
  EXPECT_LT(Records(), 20);
}

// T07: what was cut off was never acknowledged as stable.
TEST_F(RocksDbFaultsTest, OpensWithoutTheRecordsThatACrashCutShortAtAnyByte) {
  std::vector<uintmax_t> ends;
  {
    const auto store = Begin();
    const auto end = [&] { return fs::file_size(Logs().back()); };
    ASSERT_TRUE(Commit(*store, {Number(1)}).ok());
    ends.push_back(end());
    for (int64_t i : {2, 3}) {
      ASSERT_TRUE(Commit(*store, {Number(i)}, Sync::kWithNext).ok());
      ends.push_back(end());
    }
  }
  ASSERT_EQ(fs::file_size(Logs().back()), ends[2]);
  const std::string whole = directory_.PathOf("whole");
  fs::copy(Path(), whole, fs::copy_options::recursive);
  for (uintmax_t size = ends[2]; size >= ends[0]; --size) {
    fs::resize_file(Logs().back(), size);
    const int64_t left = size == ends[2] ? 3 : size >= ends[1] ? 2 : 1;
    EXPECT_EQ(Records(), left) << size << " bytes";
    fs::remove_all(Path());
    fs::copy(whole, Path(), fs::copy_options::recursive);
  }
  fs::resize_file(Logs().back(), ends[0] - 1);
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss) << "what was acknowledged was cut off";
}

// T05: the length of the log was on the disk, and the sectors at its end were not.
TEST_F(RocksDbFaultsTest, OpensWithoutTheRecordsWhoseBytesNeverCameToTheDisk) {
  uintmax_t synced = 0;
  {
    const auto store = Begin();
    ASSERT_TRUE(Commit(*store, {Number(1)}).ok());
    synced = fs::file_size(Logs().back());
    ASSERT_TRUE(Commit(*store, {Accept("b", Noise(5000))}, Sync::kWithNext).ok());
  }
  const uintmax_t size = fs::file_size(Logs().back());
  const std::string whole = directory_.PathOf("whole");
  fs::copy(Path(), whole, fs::copy_options::recursive);
  int cuts = 0;
  for (uintmax_t from = (synced / 512 + 1) * 512; from < size; from += 512, ++cuts) {
    Zero(Logs().back(), from);
    const auto recovery = Reopen();
    ASSERT_TRUE(recovery.ok()) << from - synced << ": " << recovery.status();
    EXPECT_EQ(recovery->unfinished.size(), 1u);
    fs::remove_all(Path());
    fs::copy(whole, Path(), fs::copy_options::recursive);
  }
  EXPECT_GT(cuts, 5);
}

// T05: of the mark an older page was on the disk, which names a log that is not needed any more.
TEST_F(RocksDbFaultsTest, OpensWithoutThemAlsoWhenTheMarkIsOlder) {
  Begin();
  const std::string older = directory_.PathOf("older");
  fs::copy(Mark(), older);
  const fs::path log_of_older = Logs().back();
  uintmax_t synced = 0;
  {
    const auto store = Open().value();
    ASSERT_TRUE(store->Recover().ok());
    ASSERT_TRUE(Commit(*store, {Number(1)}).ok());
    synced = fs::file_size(Logs().back());
    ASSERT_TRUE(Commit(*store, {Accept("b", Noise(100'000))}, Sync::kWithNext).ok());
  }
  ASSERT_FALSE(fs::exists(log_of_older));
  fs::copy(older, Mark(), fs::copy_options::overwrite_existing);
  Zero(Logs().back(), (synced / 512 + 90) * 512);
  const auto recovery = Reopen();
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  EXPECT_EQ(recovery->unfinished.size(), 1u);
}

// T08.
TEST_F(RocksDbFaultsTest, RefusesZerosWhereAcknowledgedRecordsWere) {
  {
    const auto store = Begin();
    ASSERT_TRUE(Commit(*store, {Accept("b", Noise(5000))}).ok());
  }
  const fs::path log = Logs().back();
  const fs::path whole = directory_.PathOf("whole.log");
  fs::copy(log, whole);
  Zero(log, fs::file_size(log) / 512 * 512 - 1024);
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(fs::file_size(log), fs::file_size(whole));
  // That start has changed nothing: the log can be put back.
  fs::copy(whole, log, fs::copy_options::overwrite_existing);
  EXPECT_EQ(Records(), 0);
}

// T07.
TEST_F(RocksDbFaultsTest, RefusesAFlippedByteAnywhereInTheLastRecord) {
  uintmax_t begin = 0;
  {
    const auto store = Begin();
    ASSERT_TRUE(Commit(*store, {Number(1)}).ok());
    begin = fs::file_size(Logs().back());
    ASSERT_TRUE(Commit(*store, {Number(2)}).ok());
  }
  const uintmax_t end = fs::file_size(Logs().back());
  ASSERT_GT(end, begin);
  const std::string whole = directory_.PathOf("whole");
  fs::copy(Path(), whole, fs::copy_options::recursive);
  for (uintmax_t at = begin; at < end; ++at) {
    Flip(Logs().back(), at);
    EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss) << "byte " << at - begin;
    fs::remove_all(Path());
    fs::copy(whole, Path(), fs::copy_options::recursive);
  }
}

// T08.
TEST_F(RocksDbFaultsTest, RefusesAFlippedByteInTheMiddleOfALog) {
  {
    const auto store = Begin();
    for (int64_t i = 1; i <= 40; ++i) ASSERT_TRUE(Commit(*store, {Number(i)}).ok());
  }
  const uintmax_t size = fs::file_size(Logs().back());
  const std::string whole = directory_.PathOf("whole");
  fs::copy(Path(), whole, fs::copy_options::recursive);
  for (uintmax_t at = 0; at < size; at += 61) {
    Flip(Logs().back(), at);
    const absl::Status status = Reopen().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << at;
    EXPECT_THAT(std::string(status.message()), HasSubstr("backup"));
    fs::remove_all(Path());
    fs::copy(whole, Path(), fs::copy_options::recursive);
  }
}

// T09.
TEST_F(RocksDbFaultsTest, RefusesAStoreWhoseLiveLogIsMissing) {
  {
    const auto store = Begin();
    ASSERT_TRUE(Commit(*store, {Number(1)}).ok());
  }
  const fs::path log = Logs().back();
  const fs::path taken = directory_.PathOf("taken.log");
  fs::rename(log, taken);
  const absl::Status status = Reopen().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(log.filename().string()));
  // That start has changed nothing: the log can be put back.
  fs::rename(taken, log);
  EXPECT_EQ(Records(), 1);
}

// T09.
TEST_F(RocksDbFaultsTest, RefusesAStoreWhoseClosedLogIsMissing) {
  const std::string large = Noise(kLargeBytes);
  auto store = Begin();
  disk_->HoldTables();
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(Commit(*store, {Accept("large " + std::to_string(i), large)}).ok());
  }
  disk_->CutPower();
  store.reset();
  ASSERT_EQ(Logs().size(), 2);
  fs::remove(Logs().front());
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
}

// T09.
TEST_F(RocksDbFaultsTest, RefusesAStoreWhoseDatabaseIsMissing) {
  Begin();
  fs::remove_all(Path() + "/rocksdb");
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
}

// The mark of a store that flushed and removed its log is no reason to refuse it.
TEST_F(RocksDbFaultsTest, OpensAgainAndAgainWithoutACommit) {
  Begin();
  for (int start = 0; start < 5; ++start) EXPECT_EQ(Records(), 0);
}

TEST_F(RocksDbFaultsTest, RefusesAMarkThatIsDamaged) {
  Begin();
  std::ofstream(Mark(), std::ios::binary) << std::string(48, 'x');
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
  std::ofstream(Mark(), std::ios::binary) << "short";
  EXPECT_EQ(ReopenCode(), absl::StatusCode::kDataLoss);
}

// T10.
TEST_F(RocksDbFaultsTest, AcknowledgesNothingAfterAFailedSyncAndTriesNoneAgain) {
  for (int at = 1; at <= 12; ++at) {
    fs::remove_all(Path());
    const int fired_before = disk_->fired();
    const size_t failures_before = failures().size();
    int64_t acknowledged = 0;
    {
      auto store = Begin();
      disk_->Inject({DiskOperation::kSync, at});
      while (Commit(*store, {Number(acknowledged + 1)}).ok()) ++acknowledged;
      EXPECT_FALSE(Commit(*store, {Number(acknowledged + 2)}).ok());
      EXPECT_FALSE(Commit(*store, {Number(acknowledged + 2)}, Sync::kWithNext).ok());
      EXPECT_EQ(failures().size(), failures_before + 1);
    }
    EXPECT_EQ(disk_->fired(), fired_before + 1);
    EXPECT_EQ(disk_->syncs_after_failure(), 0);
    disk_->Heal();
    EXPECT_GE(Records(), acknowledged);
  }
}

// T10, in the background, and the listener that hears of it.
TEST_F(RocksDbFaultsTest, AFailedFlushFailsTheStore) {
  const std::string large = Noise(kLargeBytes);
  int64_t acknowledged = 0;
  {
    auto store = Begin();
    disk_->HoldTables();
    for (int i = 1; i <= 4; ++i) {
      ASSERT_TRUE(Commit(*store, {Accept("large " + std::to_string(i), large)}).ok());
      ++acknowledged;
    }
    EXPECT_TRUE(failures().empty());
    disk_->CutPower();
    const auto told = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !failures_.empty(); };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&told));
  }
  EXPECT_EQ(failures().size(), 1);
  EXPECT_THAT(std::string(failures()[0].message()), HasSubstr("background"));
  EXPECT_EQ(static_cast<int64_t>(Reopen()->unfinished.size()), 1 + acknowledged);
}

// T11.
TEST_F(RocksDbFaultsTest, AFullDiskStoresNoPartOfABatchAndLosesNone) {
  const std::string bytes = Noise(10'000);
  int accepted = 0;
  {
    auto store = Begin();
    disk_->SetQuota(disk_->bytes_written() + 105'000);
    absl::Status status;
    while ((status = Commit(*store, {Accept("b" + std::to_string(accepted), bytes)})).ok()) {
      ++accepted;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_EQ(failures().size(), 1);
  }
  EXPECT_GT(disk_->fired(), 0);
  EXPECT_EQ(accepted, 10);
  disk_->Heal();
  const auto recovery = Reopen();
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  EXPECT_EQ(static_cast<int>(recovery->unfinished.size()), 1 + accepted);
}

// T12: an operation of the disk fails while the store is opened and written, each one in turn.
class RocksDbOperationsTest
    : public RocksDbFaultsTest,
      public testing::WithParamInterface<std::pair<DiskOperation, rocksdb::IOStatus>> {};

TEST_P(RocksDbOperationsTest, FailCleanly) {
  const auto& [operation, error] = GetParam();
  int opened = 0;
  for (int at = 1;; ++at) {
    fs::remove_all(Path());
    const int fired_before = disk_->fired();
    disk_->Inject({operation, at, false, error});
    int64_t acknowledged = -1;
    auto store = Open();
    if (!store.ok()) {
      EXPECT_FALSE(store.status().message().empty());
    } else if ((*store)->Recover().ok()) {
      ++opened;
      if (Commit(**store, {Accept("a")}).ok()) acknowledged = 0;
      while (acknowledged >= 0 && acknowledged < 5 &&
             Commit(**store, {Number(acknowledged + 1)}).ok()) {
        ++acknowledged;
      }
    }
    if (store.ok()) store->reset();
    disk_->Heal();
    EXPECT_GE(Records(), acknowledged) << "operation " << at;
    if (disk_->fired() == fired_before) {
      EXPECT_GT(at, 1) << "no operation failed";
      break;
    }
  }
  EXPECT_GT(opened, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Each, RocksDbOperationsTest,
    testing::Values(
        std::pair(DiskOperation::kOpen, rocksdb::IOStatus::IOError("", "Too many open files")),
        std::pair(DiskOperation::kWrite, rocksdb::IOStatus::IOError("", "Input/output error")),
        std::pair(DiskOperation::kWrite, rocksdb::IOStatus::IOError("", "Disk quota exceeded")),
        std::pair(DiskOperation::kSync, rocksdb::IOStatus::IOError("", "Input/output error")),
        std::pair(DiskOperation::kRename,
                  rocksdb::IOStatus::IOError("", "Read-only file system"))));

}  // namespace
}  // namespace jobrunner::storage
