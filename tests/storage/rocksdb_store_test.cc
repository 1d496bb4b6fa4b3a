#include "storage/rocksdb_store.h"

#include "storage/store_conformance.h"

namespace jobrunner::storage {
namespace {

INSTANTIATE_TEST_SUITE_P(RocksDbStore, StoreConformance,
                         testing::Values([](const std::string& directory) {
                           return RocksDbStore::Open(directory, {}).value();
                         }));

}  // namespace
}  // namespace jobrunner::storage
