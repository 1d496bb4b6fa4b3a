#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "jobrunner/config/v1/config.pb.h"
#include "support/temporary_directory.h"
#include "web/metrics.h"

namespace jobrunner::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;

std::string Doc() { return test::ReadFile(JOBRUNNER_OPERATING_DOC); }

bool IsPartOfTheConfiguration(const FieldDescriptor& field) {
  return field.message_type() != nullptr && !field.is_map() &&
         field.message_type()->file() == config::v1::Config::descriptor()->file();
}

// "queues[].max_running" and all the others.
void AddPaths(const Descriptor& message, const std::string& prefix,
              std::vector<std::string>* paths) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    if (IsPartOfTheConfiguration(field)) {
      AddPaths(*field.message_type(), absl::StrCat(path, field.is_repeated() ? "[]." : "."), paths);
    } else {
      paths->push_back(path);
    }
  }
}

TEST(OperatingDocTest, EveryFieldOfTheConfigurationIsInItsTable) {
  std::vector<std::string> paths;
  AddPaths(*config::v1::Config::descriptor(), "", &paths);
  ASSERT_GT(paths.size(), 20u);
  const std::string doc = Doc();
  for (const std::string& path : paths) EXPECT_THAT(doc, HasSubstr(absl::StrCat("`", path, "`")));
}

TEST(OperatingDocTest, EveryMetricIsInItsTable) {
  const std::string doc = Doc();
  std::istringstream page(web::RenderMetrics({}));
  int metrics = 0;
  for (std::string hash, kind, name, rest; page >> hash >> kind >> name; std::getline(page, rest)) {
    if (hash != "#" || kind != "TYPE") continue;
    ++metrics;
    EXPECT_THAT(doc, HasSubstr(absl::StrCat("`", name, "`")));
  }
  EXPECT_GT(metrics, 10);
}

}  // namespace
}  // namespace jobrunner::server
