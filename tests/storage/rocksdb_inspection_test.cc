#include <filesystem>
#include <fstream>
#include <functional>

#include "gmock/gmock.h"
#include "storage/keys.h"
#include "storage/record_codec.h"
#include "storage/rocksdb_options.h"
#include "storage/rocksdb_store.h"
#include "storage/store_inspection.h"
#include "storage/store_writes.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StoreInspectionTest : public testing::Test {
 protected:
  // Three batches: one that has finished, one that was removed and whose request is known, and one
  // that runs.
  StoreInspectionTest() {
    const auto store = RocksDbStore::Open(Path(), {}).value();
    EXPECT_TRUE(store->Recover().ok());
    EXPECT_TRUE(
        Commit(*store, Whole({.id = "a", .labels = {{"team", "x"}}, .request_id = "request a"}))
            .ok());
    EXPECT_TRUE(Commit(*store, Whole({.id = "b", .request_id = "request b"})).ok());
    EXPECT_TRUE(
        Commit(*store, {engine::Remove{"b", base::WallTime(std::chrono::seconds(9))}}).ok());
    EXPECT_TRUE(Commit(*store, {Accept("c", OneJob()), Cancel("c")}).ok());
  }

  std::string Path() { return directory_.PathOf("store"); }
  absl::StatusOr<std::unique_ptr<StoreInspection>> Open() { return StoreInspection::Open(Path()); }

  // What a check says.
  std::vector<std::string> Faults() {
    std::vector<std::string> faults;
    const auto store = Open();
    EXPECT_TRUE(store.ok()) << store.status();
    const auto totals = (*store)->Check([&](const std::string& fault) { faults.push_back(fault); });
    EXPECT_TRUE(totals.ok()) << totals.status();
    EXPECT_EQ(totals->faults, std::ssize(faults));
    return faults;
  }

  // Without the store's own code.
  void Change(const std::function<void(rocksdb::DB&)>& change) {
    rocksdb::DB* database = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(MakeRocksDbOptions({}), Path() + "/rocksdb", &database).ok());
    change(*database);
    delete database;
  }

  std::vector<std::string> FilesNow() {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(Path())) {
      files.push_back(entry.path().string() + " " +
                      (entry.is_regular_file() ? test::ReadFile(entry.path().string()) : ""));
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(StoreInspectionTest, ListsEveryBatchFromTheNewestOn) {
  std::vector<std::pair<std::string, v1::BatchState>> batches;
  ASSERT_TRUE(Open()
                  .value()
                  ->ListBatches([&](const v1::Batch& batch) {
                    batches.emplace_back(batch.id(), batch.state());
                  })
                  .ok());
  EXPECT_THAT(batches, ElementsAre(std::pair("c", v1::BATCH_STATE_RUNNING),
                                   std::pair("a", v1::BATCH_STATE_SUCCEEDED)));
}

TEST_F(StoreInspectionTest, ReadsTheLogOfABatch) {
  std::vector<int64_t> sequences;
  const auto show = [&](const v1::Event& event) { sequences.push_back(event.sequence()); };
  const auto store = Open().value();
  ASSERT_TRUE(store->ReadLog("a", show).ok());
  EXPECT_THAT(sequences, ElementsAre(1, 2));
  EXPECT_TRUE(store->ReadLog("c", show).ok());
  EXPECT_THAT(sequences, SizeIs(2));
  EXPECT_EQ(store->ReadLog("b", show).code(), absl::StatusCode::kNotFound);
}

TEST_F(StoreInspectionTest, FindsNothingWrongWithASoundStoreAndChangesNothing) {
  const auto before = FilesNow();
  EXPECT_THAT(Faults(), IsEmpty());
  EXPECT_EQ(FilesNow(), before);
}

TEST_F(StoreInspectionTest, CountsWhatItHasGoneThrough) {
  const auto totals = Open().value()->Check([](const std::string&) {});
  ASSERT_TRUE(totals.ok());
  EXPECT_EQ(totals->batches, 2);
  EXPECT_EQ(totals->batches_unfinished, 1);
  EXPECT_EQ(totals->jobs, 2);
  EXPECT_EQ(totals->records, 3);
  EXPECT_EQ(totals->events, 2);
  EXPECT_EQ(totals->requests, 2);
}

// One key of each kind, which is taken away.
TEST_F(StoreInspectionTest, FindsEachKeyThatIsMissing) {
  std::vector<std::string> all;
  Change([&](rocksdb::DB& database) {
    std::unique_ptr<rocksdb::Iterator> walk(database.NewIterator({}));
    for (walk->SeekToFirst(); walk->Valid(); walk->Next()) all.push_back(walk->key().ToString());
  });
  ASSERT_GT(all.size(), 15);
  for (const std::string& key : all) {
    if (key == keys::Store()) continue;
    std::string value;
    Change([&](rocksdb::DB& database) {
      ASSERT_TRUE(database.Get({}, key, &value).ok());
      ASSERT_TRUE(database.Delete({}, key).ok());
    });
    // What tells of nothing but itself leaves a batch without it, as it was before.
    const bool is_told = key != keys::Record("c", 1);
    EXPECT_EQ(Faults().empty(), !is_told) << "without " << key;
    Change([&](rocksdb::DB& database) { ASSERT_TRUE(database.Put({}, key, value).ok()); });
  }
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(StoreInspectionTest, FindsWhatDoesNotBelong) {
  for (const std::string& key :
       {keys::Shard("c", 1), keys::Record("a", 7), keys::Segment("c", 1), keys::Unfinished("a"),
        keys::Unfinished("z"), keys::Summary("c"), keys::ByQueue("other") + "a",
        keys::ByState(v1::BATCH_STATE_FAILED) + "a", keys::Request("another"),
        keys::RequestExpiry({}, "another"), std::string("x"), keys::Header("z")}) {
    Change([&](rocksdb::DB& database) { ASSERT_TRUE(database.Put({}, key, "").ok()); });
    EXPECT_THAT(Faults(), Not(IsEmpty())) << "with " << key;
    Change([&](rocksdb::DB& database) { ASSERT_TRUE(database.Delete({}, key).ok()); });
  }
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(StoreInspectionTest, TellsOfADamagedTable) {
  {
    const auto store = RocksDbStore::Open(Path(), {}).value();
    ASSERT_TRUE(store->Recover().ok());
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(Commit(*store, {Accept("many " + std::to_string(i), OneJob())},
                         i < 499 ? engine::Sync::kWithNext : engine::Sync::kNow)
                      .ok());
    }
  }
  Change([](rocksdb::DB& database) { ASSERT_TRUE(database.Flush({}).ok()); });
  for (const auto& entry : fs::directory_iterator(Path() + "/rocksdb")) {
    if (entry.path().extension() != ".sst" || entry.file_size() < 10'000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('\x7f');
    file.put('\x01');
  }
  const auto store = Open();
  ASSERT_TRUE(store.ok()) << store.status();
  std::vector<std::string> faults;
  const auto totals = (*store)->Check([&](const std::string& fault) { faults.push_back(fault); });
  ASSERT_FALSE(faults.empty());
  EXPECT_THAT(faults[0], HasSubstr("backup"));
}

TEST_F(StoreInspectionTest, RefusesAStoreThatAServerHas) {
  const auto served = RocksDbStore::Open(Path(), {}).value();
  const auto opened = Open();
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(opened.status().message()),
              HasSubstr("held by process " + std::to_string(getpid())));
}

TEST_F(StoreInspectionTest, KeepsAServerFromTheStoreMeanwhile) {
  const auto read = Open().value();
  EXPECT_TRUE(Open().ok()) << "several may read";
  EXPECT_EQ(RocksDbStore::Open(Path(), {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreInspectionTest, RefusesANewerFormat) {
  Change([](rocksdb::DB& database) {
    ASSERT_TRUE(database.Put({}, keys::Store(), Encode(StoreState{kFormat + 1, 1})).ok());
  });
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreInspectionTest, FindsNoStoreWhereThereIsNone) {
  EXPECT_EQ(StoreInspection::Open(directory_.PathOf("nothing")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(StoreInspection::Open(directory_.path()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(directory_.PathOf("rocksdb")));
}

}  // namespace
}  // namespace jobrunner::storage
