// What every Store does, as tests. An adapter instantiates them:
//
//   INSTANTIATE_TEST_SUITE_P(MemoryStore, StoreConformance,
//                            testing::Values([](const std::string& directory) {
//                              return std::make_unique<MemoryStore>();
//                            }));

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/store.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace jobrunner::storage {

// Opens the store in a directory, in which there may be one.
using MakeStore = std::function<std::unique_ptr<engine::Store>(const std::string& directory)>;

class StoreConformance : public testing::TestWithParam<MakeStore> {
 protected:
  // Each verb waits for the store's answer.
  absl::Status Commit(std::vector<engine::Write> writes, engine::Sync sync = engine::Sync::kNow);
  absl::StatusOr<std::string> Load(const std::string& batch_id, int32_t first_index);
  absl::StatusOr<engine::LogPage> Read(const std::string& batch_id, int64_t after,
                                       int64_t bytes_max = 1 << 20);

  absl::StatusOr<std::shared_ptr<const engine::Batch>> Find(const std::string& batch_id);
  absl::StatusOr<engine::KnownRequest> Request(const std::string& request_id);
  engine::Expired ExpiredAt(int64_t now, int32_t max = 100);
  // The ids of a page, and of all pages of that size.
  engine::BatchPage List(const engine::BatchFilter& filter, const std::string& before_id,
                         int32_t page_size);
  std::vector<std::string> ListAll(const engine::BatchFilter& filter, int32_t page_size);
  // Closes the store and opens it again.
  void Reopen();

  // A batch with these shards' bytes, of one job each; an empty one was staged.
  static engine::Write Accept(const std::string& batch_id, const std::vector<std::string>& shards);
  // The shard of the job with this index is staged for a batch.
  static engine::Write Stage(const std::string& batch_id, int32_t index, const std::string& bytes);
  // So many events; their outputs are their sequences.
  static engine::Write Events(const std::string& batch_id, int64_t first, int64_t count,
                              bool finish = false);

  // All sequences after `after`, read page by page of about `bytes_max`.
  std::vector<int64_t> ReadAll(const std::string& batch_id, int64_t after, int64_t bytes_max);

  test::TemporaryDirectory directory_;
  std::unique_ptr<engine::Store> store_ = GetParam()(directory_.path());
};

// What only a store on disk does.
class DurableStoreConformance : public StoreConformance {};
// A program may have memory stores alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DurableStoreConformance);

}  // namespace jobrunner::storage
