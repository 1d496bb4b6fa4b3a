#include "storage/memory_store.h"

#include "storage/store_conformance.h"

namespace jobrunner::storage {
namespace {

INSTANTIATE_TEST_SUITE_P(MemoryStore, StoreConformance,
                         testing::Values([](const std::string& /*directory*/) {
                           return std::make_unique<MemoryStore>();
                         }));

TEST(MemoryStoreTest, OutlivesNoProcess) { EXPECT_FALSE(MemoryStore().durable()); }

}  // namespace
}  // namespace jobrunner::storage
