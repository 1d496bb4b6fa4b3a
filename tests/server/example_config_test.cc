#include <gtest/gtest.h>

#include "google/protobuf/descriptor.h"
#include "server/config.h"
#include "server/flags.h"

namespace jobrunner::server {
namespace {

TEST(ExampleConfigTest, TheOneInTheDocsIsAccepted) {
  Flags flags;
  flags.config = JOBRUNNER_EXAMPLE_CONFIG;
  const auto config = LoadConfig(flags);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->queues(1).name(), "reports");
}

TEST(ExampleConfigTest, ItShowsEveryPartOfTheConfiguration) {
  const auto config = ReadConfigFile(JOBRUNNER_EXAMPLE_CONFIG);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto* descriptor = config->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    const bool is_set = field->is_repeated()
                            ? config->GetReflection()->FieldSize(*config, field) > 0
                            : config->GetReflection()->HasField(*config, field);
    EXPECT_TRUE(is_set) << field->name();
  }
}

}  // namespace
}  // namespace jobrunner::server
