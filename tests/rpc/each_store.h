// Tests of calls whose answers come from the store.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "rpc/served.h"
#include "support/temporary_directory.h"

namespace jobrunner::rpc {

// Runs each test of a suite over every kind of store; RocksDB has a directory of its own.
//
//   class Calls : public OverEachStore { … Served served_{OnStore()}; };
//   INSTANTIATE_TEST_SUITE_P(Stores, Calls, EachStore(), NameOfStore);
class OverEachStore : public testing::TestWithParam<std::string> {
 protected:
  ServedOptions OnStore(ServedOptions options = {}) const {
    options.store = GetParam() == "memory" ? "memory:" : "rocksdb:" + directory_.PathOf("store");
    return options;
  }
  bool durable() const { return GetParam() != "memory"; }

 private:
  const test::TemporaryDirectory directory_;
};

inline auto EachStore() { return testing::Values("memory", "rocksdb"); }

inline std::string NameOfStore(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace jobrunner::rpc
