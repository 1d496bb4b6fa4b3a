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
  absl::Status Commit(std::vector<engine::Write> writes);
  absl::StatusOr<std::string> Load(const std::string& batch_id, int32_t first_index);
  absl::StatusOr<engine::LogPage> Read(const std::string& batch_id, int64_t after,
                                       int64_t bytes_max = 1 << 20);

  // A batch with these shards' bytes, of one job each.
  static engine::Write Accept(const std::string& batch_id, const std::vector<std::string>& shards);
  // So many events; their outputs are their sequences.
  static engine::Write Events(const std::string& batch_id, int64_t first, int64_t count,
                              bool finish = false);

  // All sequences after `after`, read page by page of about `bytes_max`.
  std::vector<int64_t> ReadAll(const std::string& batch_id, int64_t after, int64_t bytes_max);

  test::TemporaryDirectory directory_;
  std::unique_ptr<engine::Store> store_ = GetParam()(directory_.path());
};

}  // namespace jobrunner::storage
