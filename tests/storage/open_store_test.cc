#include "storage/open_store.h"

#include <limits>

#include "gmock/gmock.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {
namespace {

TEST(OpenStore, OpensTheStoreThatAUrlNames) {
  const test::TemporaryDirectory directory;
  const auto memory = OpenStore("memory:", {});
  ASSERT_TRUE(memory.ok());
  EXPECT_FALSE(memory->store->durable());
  EXPECT_EQ(memory->backups, nullptr);

  const auto on_disk = OpenStore("rocksdb:" + directory.PathOf("store"), {});
  ASSERT_TRUE(on_disk.ok()) << on_disk.status();
  EXPECT_TRUE(on_disk->store->durable());
  EXPECT_NE(on_disk->backups, nullptr);
}

TEST(OpenStore, RefusesWhatNamesNone) {
  for (const char* url : {"", "rocksdb:", "memory", "memory:x", "postgresql://host", "/var/lib"}) {
    const auto opened = OpenStore(url, {});
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(opened.status().message()), testing::HasSubstr("rocksdb:DIRECTORY"));
  }
}

TEST(OpenStore, KeepsTheReserveThatItIsTold) {
  const test::TemporaryDirectory directory;
  const auto opened = OpenStore("rocksdb:" + directory.PathOf("store"),
                                {.disk_reserve_bytes = std::numeric_limits<int64_t>::max()});
  EXPECT_EQ(opened->store->CheckRoom().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace jobrunner::storage
