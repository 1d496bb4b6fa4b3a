#include "engine/fingerprint.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "engine/limits.h"
#include "engine/submission.h"

namespace jobrunner::engine {
namespace {

v1::Job CommandJob(const std::vector<std::string>& variables) {
  v1::Job job;
  job.mutable_command()->add_argv("/bin/true");
  for (const std::string& name : variables) (*job.mutable_command()->mutable_env())[name] = "v";
  return job;
}

std::string FingerprintOf(const v1::BatchSpec& spec) {
  Fingerprint fingerprint;
  ShardCutter cutter("id", {},
                     [&](int32_t /*position*/, const v1::Job& job) { fingerprint.AddJob(job); });
  v1::BatchSpec description = spec;
  description.clear_jobs();
  for (const v1::Job& job : spec.jobs()) EXPECT_TRUE(cutter.Add(job.SerializeAsString()).ok());
  EXPECT_TRUE(cutter.Finish().ok());
  return fingerprint.Finish(description);
}

TEST(Fingerprint, IsEqualForEqualBatchesWhateverTheOrderOfTheirMaps) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("V" + std::to_string(i));
  const std::vector<std::string> reversed(names.rbegin(), names.rend());

  v1::BatchSpec first;
  v1::BatchSpec second;
  *first.add_jobs() = CommandJob(names);
  *second.add_jobs() = CommandJob(reversed);
  for (const auto& name : names) (*first.mutable_labels())[name] = "v";
  for (const auto& name : reversed) (*second.mutable_labels())[name] = "v";
  EXPECT_EQ(FingerprintOf(first), FingerprintOf(second));
  EXPECT_EQ(FingerprintOf(first).size(), 16u);
}

TEST(Fingerprint, DiffersWhenAnythingDoes) {
  v1::BatchSpec spec;
  *spec.add_jobs() = CommandJob({"A"});
  *spec.add_jobs() = CommandJob({});
  const std::string before = FingerprintOf(spec);

  v1::BatchSpec other = spec;
  other.set_name("n");
  EXPECT_NE(FingerprintOf(other), before);
  other = spec;
  other.mutable_jobs(1)->set_key("k");
  EXPECT_NE(FingerprintOf(other), before);
  other = spec;
  other.mutable_jobs()->SwapElements(0, 1);
  EXPECT_NE(FingerprintOf(other), before);
  other = spec;
  other.add_jobs();
  EXPECT_NE(FingerprintOf(other), before);
}

// Stored fingerprints are held against those of later versions.
TEST(Fingerprint, StaysAsItIs) {
  v1::BatchSpec spec;
  *spec.add_jobs() = CommandJob({"A"});
  EXPECT_EQ(absl::BytesToHexString(FingerprintOf(spec)), "d1e9bd1c75d372e0d3b8a42b189d3da2");
}

}  // namespace
}  // namespace jobrunner::engine
