#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/limits.h"
#include "server/flags.h"
#include "support/temporary_directory.h"

namespace jobrunner::server {
namespace {

using config::v1::Config;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  void GivenFile(std::string_view json) {
    flags_.config = directory_.PathOf("config.json");
    std::ofstream(flags_.config) << json;
  }

  Config Loaded() {
    absl::StatusOr<Config> config = LoadConfig(flags_);
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? *config : Config();
  }

  std::string Refusal(std::string_view json) {
    GivenFile(json);
    return Refusal();
  }

  std::string Refusal() {
    const absl::StatusOr<Config> config = LoadConfig(flags_);
    return config.ok() ? "accepted" : std::string(config.status().message());
  }

  test::TemporaryDirectory directory_;
  Flags flags_;
};

TEST_F(ConfigTest, WithoutFileAndFlagsEverythingHasItsDefault) {
  const Config config = Loaded();
  EXPECT_EQ(config.listen(), "127.0.0.1:7420");
  EXPECT_THAT(config.store(), ::testing::StartsWith("rocksdb:/"));
  EXPECT_EQ(config.workers().min(), 0);
  EXPECT_GE(config.workers().max(), 4);
  EXPECT_EQ(config.workers().lease().seconds(), 10);
  EXPECT_FALSE(config.commands().allow_any());
  EXPECT_EQ(config.commands().output_bytes_max(), 256 << 10);
  EXPECT_EQ(config.limits().jobs_per_batch_max(), 1'000'000);
  EXPECT_EQ(config.limits().jobs_unfinished_max(), 10'000'000);
  EXPECT_EQ(config.limits().request_bytes_max(), 64 << 20);
  EXPECT_EQ(config.limits().memory_store_bytes(), 256 << 20);
  EXPECT_EQ(config.limits().shards_loaded_max(), 1024);
  EXPECT_EQ(config.limits().disk_reserve(), 256 << 20);
  EXPECT_EQ(config.limits().batch_bytes_max(), int64_t{4} << 30);
  EXPECT_EQ(config.limits().uploads_max(), 4);
  EXPECT_EQ(config.shutdown_grace().seconds(), 5);
  EXPECT_EQ(config.retention().seconds(), 24 * 3600);
  EXPECT_EQ(config.log().level(), "info");
  EXPECT_EQ(config.log().job_log_format(), "text");
  EXPECT_EQ(config.log().file_bytes_max(), 64 << 20);
  EXPECT_EQ(config.web().listen(), "");
}

TEST_F(ConfigTest, AFileSetsEveryField) {
  GivenFile(R"({
    "listen": "unix:/run/jobrunner.sock", "store": "memory:",
    "workers": {"min": 2, "max": 16, "lease": "2s"},
    "queues": [{"name": "default", "max_running": 3},
               {"name": "slow", "max_queued": "7", "job_defaults": {"timeout": "1.5s"}}],
    "commands": {"allow_any": true, "allow": [{"name": "true", "path": "/bin/true"}],
                 "output_bytes_max": 1000, "env": {"A": "1"}, "working_directory": "/tmp"},
    "limits": {"jobs_per_batch_max": 10, "jobs_unfinished_max": 20, "request_bytes_max": 30,
               "memory_store_bytes": 40, "shards_loaded_max": 50, "disk_reserve": 0,
               "batch_bytes_max": 60, "uploads_max": 70},
    "shutdown_grace": "0.5s", "retention": "60s",
    "log": {"level": "debug", "file": "a", "job_log": "-", "job_log_format": "json",
            "file_bytes_max": 8192},
    "web": {"listen": "127.0.0.1:0"}})");
  const Config config = Loaded();
  EXPECT_EQ(config.listen(), "unix:/run/jobrunner.sock");
  EXPECT_EQ(config.workers().min(), 2);
  EXPECT_EQ(config.workers().max(), 16);
  EXPECT_EQ(config.workers().lease().seconds(), 2);
  ASSERT_EQ(config.queues_size(), 2);
  EXPECT_EQ(config.queues(0).max_running(), 3);
  EXPECT_EQ(config.queues(1).max_queued(), 7);
  EXPECT_EQ(config.queues(1).job_defaults().timeout().nanos(), 500'000'000);
  EXPECT_TRUE(config.commands().allow_any());
  EXPECT_EQ(config.commands().allow(0).path(), "/bin/true");
  EXPECT_EQ(config.commands().env().at("A"), "1");
  EXPECT_EQ(config.limits().shards_loaded_max(), 50);
  EXPECT_EQ(config.limits().disk_reserve(), 0);
  EXPECT_EQ(config.limits().batch_bytes_max(), 60);
  EXPECT_EQ(config.limits().uploads_max(), 70);
  EXPECT_EQ(config.shutdown_grace().nanos(), 500'000'000);
  EXPECT_EQ(config.log().job_log_format(), "json");
  EXPECT_EQ(config.web().listen(), "127.0.0.1:0");
}

TEST_F(ConfigTest, FlagsOverrideTheFile) {
  GivenFile(R"({"listen": "127.0.0.1:1", "workers": {"min": 1, "max": 2},
                "log": {"level": "error"}})");
  flags_.listen = "127.0.0.1:0";
  flags_.allow_any_command = true;
  flags_.workers_max = 9;
  flags_.web_listen = "localhost:0";
  flags_.log_level = "debug";
  flags_.log_file = "x";
  flags_.job_log = "-";
  const Config config = Loaded();
  EXPECT_EQ(config.listen(), "127.0.0.1:0");
  EXPECT_TRUE(config.commands().allow_any());
  EXPECT_EQ(config.workers().min(), 1);
  EXPECT_EQ(config.workers().max(), 9);
  EXPECT_EQ(config.web().listen(), "localhost:0");
  EXPECT_EQ(config.log().level(), "debug");
  EXPECT_EQ(config.log().file(), "x");
  EXPECT_EQ(config.log().job_log(), "-");
}

TEST_F(ConfigTest, AWrongFlagIsNamedAsItsField) {
  flags_.workers_max = 0;
  EXPECT_THAT(Refusal(), HasSubstr("workers.max: must be from 1 to 100000, is 0"));
}

TEST_F(ConfigTest, AFileThatIsNotThereIsNamed) {
  flags_.config = directory_.PathOf("none.json");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("none.json"), HasSubstr("No such file")));
}

TEST_F(ConfigTest, ADirectoryIsNoFile) {
  flags_.config = directory_.path();
  EXPECT_THAT(Refusal(), HasSubstr(directory_.path()));
}

TEST_F(ConfigTest, AFileThatIsTooLargeIsRefused) {
  EXPECT_THAT(Refusal(std::string(5 << 20, ' ')), HasSubstr("larger than 4 MiB"));
}

TEST_F(ConfigTest, AnErrorNamesTheFileAndTheField) {
  GivenFile(R"({"log": {"level": "loud"}})");
  EXPECT_EQ(Refusal(),
            flags_.config + ": log.level: must be debug, info, warning or error, is \"loud\"");
}

struct Fault {
  std::string json;
  std::string said;
};

class ConfigFaultTest : public ConfigTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(ConfigFaultTest, IsNamed) {
  EXPECT_THAT(Refusal(GetParam().json), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    EveryField, ConfigFaultTest,
    ::testing::Values(
        Fault{R"({"listen": "7420"})", "listen: must be HOST:PORT or unix:PATH: it has no port"},
        Fault{R"({"listen": "127.0.0.1:70000"})", "listen: must be HOST:PORT"},
        Fault{R"({"listen": "::1:7420"})", "an IPv6 address stands in brackets"},
        Fault{R"({"listen": "unix:"})", "listen: unix: needs a path"},
        Fault{R"({"listen": "unix:/)" + std::string(107, 'x') + "\"}", "at most 107 bytes"},
        Fault{R"({"store": "mysql://x"})", "store: \"mysql://x\" is not a store"},
        Fault{R"({"store": "rocksdb:"})", "store: \"rocksdb:\" is not a store"},
        Fault{R"({"limits": {"disk_reserve": -1}})", "limits.disk_reserve: must be"},
        Fault{R"({"workers": {"max": 100001}})", "workers.max: must be from 1 to 100000"},
        Fault{R"({"workers": {"min": -1}})", "workers.min: must be from 0"},
        Fault{R"({"workers": {"min": 5, "max": 4}})", "workers.min: must not be more than"},
        Fault{R"({"queues": [{"name": "a"}, {"name": "A"}]})", "queues[1].name: must match"},
        Fault{R"({"queues": [{}]})", "queues[0].name: must match"},
        Fault{R"({"queues": [{"name": ")" + std::string(64, 'a') + "\"}]}", "at most 63 bytes"},
        Fault{R"({"queues": [{"name": "a"}, {"name": "a"}]})", "queues[1].name: \"a\" is given"},
        Fault{R"({"queues": [{"name": "a", "max_running": -1}]})", "queues[0].max_running: must"},
        Fault{R"({"queues": [{"name": "a", "max_queued": -1}]})", "queues[0].max_queued: must be"},
        Fault{R"({"queues": [{"name": "a", "job_defaults": {"timeout": "-1s"}}]})",
              "queues[0].job_defaults.timeout: "},
        Fault{R"({"queues": [{"name": "a", "job_defaults": {"retry_policy": {}}}]})",
              "queues[0].job_defaults.retry_policy.max_attempts: "},
        Fault{R"({"commands": {"allow": [{"name": "", "path": "/bin/ls"}]}})",
              "commands.allow[0].name: must not be empty"},
        Fault{R"({"commands": {"allow": [{"name": "ls", "path": "ls"}]}})",
              "commands.allow[0].path: must be an absolute path"},
        Fault{
            R"({"commands": {"allow": [{"name": "a", "path": "/a"}, {"name": "a", "path": "/b"}]}})",
            "commands.allow[1].name: \"a\" is given twice"},
        Fault{R"({"commands": {"output_bytes_max": 1048577}})",
              "commands.output_bytes_max: must be from 0 to 1048576, is 1048577"},
        Fault{R"({"commands": {"env": {"A=B": "x"}}})", "commands.env.A=B: a name must match"},
        Fault{R"({"commands": {"env": {"JOBRUNNER_X": "x"}}})", "commands.env.JOBRUNNER_X: "},
        Fault{R"({"commands": {"working_directory": "tmp"}})", "commands.working_directory: must"},
        Fault{R"({"limits": {"jobs_per_batch_max": 0}})", "limits.jobs_per_batch_max: must be"},
        Fault{R"({"limits": {"jobs_per_batch_max": 10000001}})", "limits.jobs_per_batch_max: must"},
        Fault{R"({"limits": {"jobs_unfinished_max": 0}})", "limits.jobs_unfinished_max: must be"},
        Fault{R"({"limits": {"request_bytes_max": 536870913}})", "limits.request_bytes_max: must"},
        Fault{R"({"limits": {"memory_store_bytes": -1}})", "limits.memory_store_bytes: must be"},
        Fault{R"({"limits": {"shards_loaded_max": 0}})", "limits.shards_loaded_max: must be"},
        Fault{R"({"limits": {"batch_bytes_max": 0}})", "limits.batch_bytes_max: must be"},
        Fault{R"({"limits": {"uploads_max": 1001}})", "limits.uploads_max: must be from 1 to"},
        Fault{R"({"workers": {"lease": "0.9s"}})", "workers.lease: must be from 1s to 3600s"},
        Fault{R"({"workers": {"lease": "3601s"}})", "workers.lease: must be from 1s to 3600s"},
        Fault{R"({"shutdown_grace": "-1s"})", "shutdown_grace: must be from 0s to 3600s, is -1s"},
        Fault{R"({"shutdown_grace": "3601s"})", "shutdown_grace: must be from 0s to 3600s"},
        Fault{R"({"retention": "-1s"})", "retention: must be from 0s"},
        Fault{R"({"log": {"level": "loud"}})", "log.level: must be debug, info, warning or error"},
        Fault{R"({"log": {"job_log_format": "xml"}})", "log.job_log_format: must be text or json"},
        Fault{R"({"log": {"file_bytes_max": 1}})", "log.file_bytes_max: must be 4096 or more"},
        Fault{R"({"web": {"listen": "unix:/x"}})", "web.listen: must be HOST:PORT"},
        Fault{R"({"web": {"listen": "x"}})", "web.listen: must be HOST:PORT"}));

}  // namespace
}  // namespace jobrunner::server
