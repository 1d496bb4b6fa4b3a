#include "storage/rocksdb_store.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <string>

#include "gmock/gmock.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_options.h"
#include "storage/store_check.h"
#include "storage/store_conformance.h"
#include "storage/store_writes.h"

namespace jobrunner::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const MakeStore kMakeStore = [](const std::string& directory) {
  return RocksDbStore::Open(directory, {}).value();
};
INSTANTIATE_TEST_SUITE_P(RocksDbStore, StoreConformance, testing::Values(kMakeStore));
INSTANTIATE_TEST_SUITE_P(RocksDbStore, DurableStoreConformance, testing::Values(kMakeStore));

class RocksDbStoreTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<RocksDbStore>> Open() {
    return RocksDbStore::Open(directory_.PathOf("store"), {});
  }

  // The store's files with that extension, those with the most bytes first.
  std::vector<std::filesystem::path> Files(const std::string& extension) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_.PathOf("store/rocksdb"))) {
      if (entry.path().extension() == extension) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
      return std::filesystem::file_size(a) > std::filesystem::file_size(b);
    });
    return files;
  }

  static void FlipByte(const std::filesystem::path& file, int64_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const char byte = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 0x40));
    ASSERT_TRUE(stream.good());
  }

  // Without the store's own code.
  std::unique_ptr<rocksdb::DB> OpenDatabase() {
    rocksdb::DB* database = nullptr;
    EXPECT_TRUE(
        rocksdb::DB::Open(MakeRocksDbOptions({}), directory_.PathOf("store/rocksdb"), &database)
            .ok());
    return std::unique_ptr<rocksdb::DB>(database);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(RocksDbStoreTest, HasWhatWasAcknowledgedWhenItsProcessIsKilled) {
  // Shared with the child: how many commits it was told are stored.
  void* memory = mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* acknowledged = new (memory) std::atomic<int>(0);
  for (int kill_after : {1, 20, 150}) {
    acknowledged->store(0);
    std::filesystem::remove_all(directory_.PathOf("store"));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = Open().value();
      if (!store->Recover().ok() || !Commit(*store, {Accept("a")}).ok()) _exit(1);
      for (;;) {
        store->Commit({Cancel("a")}, engine::Sync::kNow, [&](const absl::Status& status) {
          if (status.ok()) acknowledged->fetch_add(1);
        });
        // So that some are on their way, and memory is bounded.
        if (!Commit(*store, {Cancel("a")}).ok()) _exit(1);
        acknowledged->fetch_add(1);
      }
    }
    while (acknowledged->load() < kill_after) {
      ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "the child ended";
      usleep(100);
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    ASSERT_TRUE(Open().value()->Recover().ok());
    auto database = OpenDatabase();
    std::string value;
    for (int record = 1; record <= acknowledged->load(); ++record) {
      ASSERT_TRUE(database->Get({}, keys::Record("a", record), &value).ok())
          << record << " of " << acknowledged->load();
    }
  }
  munmap(memory, sizeof(std::atomic<int>));
}

TEST_F(RocksDbStoreTest, LeavesNoKeyOfWhatWasStagedAndNeverAccepted) {
  {
    const auto store = Open().value();
    ASSERT_TRUE(store->Recover().ok());
    const auto stage = [](const std::string& id, int32_t index) {
      return engine::StageShard{id, {index, 1, std::make_shared<const std::string>("bytes"), {}}};
    };
    ASSERT_TRUE(Commit(*store, {stage("dropped", 0), stage("left", 0), stage("left", 1)}).ok());
    ASSERT_TRUE(Commit(*store, {engine::DropStaged{"dropped"}}).ok());
  }
  const auto totals = CheckStore(OpenDatabase().get(), [](const auto& fault) { FAIL() << fault; });
  EXPECT_EQ(totals->batches_staged, 1);
  EXPECT_EQ(totals->batches, 0);
  {
    const auto store = Open().value();
    EXPECT_EQ(store->Recover()->staged_dropped, 1);
  }
  const auto database = OpenDatabase();
  const std::unique_ptr<rocksdb::Iterator> walk(database->NewIterator({}));
  walk->SeekToFirst();
  ASSERT_TRUE(walk->Valid());
  EXPECT_EQ(walk->key().ToString(), keys::Store());
  walk->Next();
  EXPECT_FALSE(walk->Valid()) << walk->key().ToString();
}

TEST_F(RocksDbStoreTest, IsHeldByOneProcessAtATimeWhichTheSecondNames) {
  const auto first = Open();
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = Open();
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr("is held by process " + std::to_string(getpid())),
                    HasSubstr(directory_.PathOf("store"))));
}

TEST_F(RocksDbStoreTest, MakesItsDirectoryForItsUserAlone) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(std::filesystem::status(directory_.PathOf("store")).permissions(),
            std::filesystem::perms::owner_all);
}

TEST_F(RocksDbStoreTest, RefusesADirectoryThatIsNoStore) {
  std::filesystem::create_directory(directory_.PathOf("store"));
  std::ofstream(directory_.PathOf("store/letters")) << "dear";
  const auto opened = Open();
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("letters"));
  EXPECT_FALSE(std::filesystem::exists(directory_.PathOf("store/rocksdb")));
}

TEST_F(RocksDbStoreTest, SaysWhichDirectoryCannotBeMade) {
  const auto opened = RocksDbStore::Open(directory_.PathOf("no/store"), {});
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(directory_.PathOf("no/store")));
}

TEST_F(RocksDbStoreTest, RefusesANewerFormat) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(OpenDatabase()->Put({}, keys::Store(), Encode(StoreState{kFormat + 1, 7})).ok());
  const auto opened = Open();
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("format 2"));
}

TEST_F(RocksDbStoreTest, RefusesALogWithAFlippedByte) {
  {
    const auto store = Open().value();
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(Commit(*store, {Accept("a" + std::to_string(i))}).ok());
  }
  const auto log = Files(".log").front();
  FlipByte(log, static_cast<int64_t>(std::filesystem::file_size(log)) / 2);
  const auto opened = Open();
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("backup"));
}

TEST_F(RocksDbStoreTest, OpensWithoutTheRecordThatACrashCutShort) {
  {
    const auto store = Open().value();
    ASSERT_TRUE(Commit(*store, {Accept("a")}).ok());
    ASSERT_TRUE(Commit(*store, {Accept("b")}, engine::Sync::kWithNext).ok());
  }
  const auto log = Files(".log").front();
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 5);
  const auto store = Open();
  ASSERT_TRUE(store.ok()) << store.status();
  const auto recovery = (*store)->Recover();
  ASSERT_EQ(recovery->unfinished.size(), 1);
  EXPECT_EQ(recovery->unfinished[0]->id(), "a");
}

TEST_F(RocksDbStoreTest, NeverSkipsWhatIsDamagedInATable) {
  {
    const auto store = Open().value();
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(Commit(*store, {Accept("a" + std::to_string(i))}).ok());
  }
  // Opened once, what was in the log is in a table.
  ASSERT_TRUE(Open().ok());
  const auto tables = Files(".sst");
  ASSERT_FALSE(tables.empty());
  FlipByte(tables.front(), 100);
  const auto store = Open();
  const absl::Status status = store.ok() ? (*store)->Recover().status() : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("backup"));
}

TEST_F(RocksDbStoreTest, RefusesABatchWhoseRecordsHaveAGap) {
  {
    const auto store = Open().value();
    ASSERT_TRUE(Commit(*store, {Accept("a"), Cancel("a"), Cancel("a")}).ok());
  }
  ASSERT_TRUE(OpenDatabase()->Delete({}, keys::Record("a", 1)).ok());
  EXPECT_EQ(Open().value()->Recover().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RocksDbStoreTest, HasNoRoomWhileLessThanTheReserveIsFree) {
  EXPECT_TRUE(Open().value()->CheckRoom().ok());
  const auto store = RocksDbStore::Open(
      directory_.PathOf("store"), {.disk_reserve_bytes = std::numeric_limits<int64_t>::max()});
  EXPECT_EQ((*store)->CheckRoom().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace jobrunner::storage
