#include "engine/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/submission.h"
#include "google/protobuf/text_format.h"
#include "support/fake_work_catalog.h"

namespace jobrunner::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kTenYearsSeconds = 3653LL * 24 * 3600;

std::string Repeated(size_t count) { return std::string(count, 'x'); }

class Validation : public ::testing::Test {
 protected:
  // Text format; a batch without jobs gets one that is right.
  static v1::BatchSpec Batch(const std::string& text) {
    v1::BatchSpec spec;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
    if (spec.jobs().empty()) spec.add_jobs()->mutable_handler()->set_name("echo");
    return spec;
  }

  Violations Check(const v1::BatchSpec& spec, JobsFrom from = JobsFrom::kClient) const {
    Violations violations;
    BatchValidator validator("batch", limits_, catalog_, &violations, from);
    const ShardCutter::Limits limits{.jobs_max = limits_.jobs_per_batch_max};
    ShardCutter cutter("id", limits, [&](int32_t position, const v1::Job& job) {
      validator.CheckJob(position, job);
    });
    for (const v1::Job& job : spec.jobs()) {
      EXPECT_TRUE(cutter.Add(job.SerializeAsString()).ok());
    }
    const int64_t count = cutter.job_count();
    EXPECT_TRUE(cutter.Finish().ok());
    validator.CheckSpec(spec);
    validator.CheckCount(count);
    return violations;
  }

  // The paths of the fields that are wrong.
  std::vector<std::string> Wrong(const v1::BatchSpec& spec) const {
    std::vector<std::string> fields;
    const Violations violations = Check(spec);
    for (const Violation& violation : violations.kept()) fields.push_back(violation.field);
    return fields;
  }
  std::vector<std::string> Wrong(const std::string& text) const { return Wrong(Batch(text)); }

  ValidationLimits limits_;
  test::FakeWorkCatalog catalog_;
};

TEST_F(Validation, ABatchThatSetsEverythingIsInOrder) {
  EXPECT_THAT(Wrong(R"(
      name: "Grüße" labels { key: "a/b.c-d_e" value: "" } queue: "q" priority: -100
      job_defaults { timeout { seconds: 1 } delay {} grace_period {} max_lost_attempts: 0
                     stream_output: true }
      timeout { nanos: 1 } max_parallelism: 3 failure_policy: FAILURE_POLICY_CANCEL_BATCH
      lifetime: LIFETIME_DETACHED retention {} fairness_key: "k"
      jobs { key: "a" command { argv: "/bin/true" argv: "" env { key: "_A1" value: "b" }
                                working_directory: "/tmp" stdin: "x" }
             options { retry_policy { max_attempts: 2 retryable_codes: 4
                                      retryable_exit_codes: 75 } } }
      jobs { key: "b" handler { name: "echo" payload: "\000" content_type: "text/plain" } })"),
              IsEmpty());
}

TEST_F(Validation, RequestsAreCheckedAndAskedOfTheCatalog) {
  EXPECT_THAT(Wrong("jobs { http { url: 'http://a' } }"), IsEmpty());
  EXPECT_THAT(Wrong("jobs { http { url: 'a' } } jobs { http { url: 'http://a' method: 'x' } }"),
              ElementsAre("batch.jobs[0].http.url", "batch.jobs[1].http.method"));
  EXPECT_THAT(Wrong("jobs { http { url: 'http://a' idempotency_key: 'k' } }"),
              ElementsAre("batch.jobs[0].http.idempotency_key"));
  const v1::BatchSpec stored = Batch("jobs { http { url: 'http://a' idempotency_key: 'k' } }");
  EXPECT_THAT(Check(stored, JobsFrom::kStore).kept(), IsEmpty());
  EXPECT_THAT(Wrong("jobs { http { url: 'http://a' } } jobs { http { url: 'http://forbidden' } }"
                    "jobs { http { url: 'http://forbidden' } } jobs { http { url: 'http://a' } }"),
              ElementsAre("batch.jobs[1].http.url", "batch.jobs[2].http.url"));
  const v1::BatchSpec denied = Batch("jobs { http { url: 'http://forbidden' } }");
  EXPECT_THAT(Wrong(denied), ElementsAre("batch.jobs[0].http.url"));
  EXPECT_TRUE(Check(denied).only_denied());
}

TEST_F(Validation, WhereAnEndIsToldIsCheckedAsARequestsUrl) {
  EXPECT_THAT(Wrong("finished_url: 'http://a'"), IsEmpty());
  EXPECT_THAT(Wrong("finished_url: 'file:///a'"), ElementsAre("batch.finished_url"));
  EXPECT_THAT(Wrong("finished_url: 'http://user@a'"), ElementsAre("batch.finished_url"));
  const v1::BatchSpec denied = Batch("finished_url: 'http://forbidden'");
  EXPECT_THAT(Wrong(denied), ElementsAre("batch.finished_url"));
  EXPECT_TRUE(Check(denied).only_denied());
}

TEST_F(Validation, NamesHaveAtMost256BytesAndNoControlCharacters) {
  const auto wrong = [&](const std::string& name) {
    v1::BatchSpec spec = Batch("");
    spec.set_name(name);
    return Wrong(spec);
  };
  EXPECT_THAT(wrong(Repeated(256)), IsEmpty());
  EXPECT_THAT(wrong("\xC2\xA0"), IsEmpty());
  for (const std::string& name :
       {Repeated(257), std::string("a\nb"), std::string("\x7f"), std::string("\xC2\x85")}) {
    EXPECT_THAT(wrong(name), ElementsAre("batch.name"));
  }
}

TEST_F(Validation, ThereAreAtMost64Labels) {
  v1::BatchSpec spec = Batch("");
  for (int i = 0; i < 64; ++i) (*spec.mutable_labels())["l" + std::to_string(i)] = "v";
  EXPECT_THAT(Wrong(spec), IsEmpty());
  (*spec.mutable_labels())["one-more"] = "v";
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.labels"));
}

TEST_F(Validation, LabelsFollowTheirPatternAndLengths) {
  const auto wrong = [&](const std::string& key, const std::string& value) {
    v1::BatchSpec spec = Batch("");
    (*spec.mutable_labels())[key] = value;
    return Wrong(spec);
  };
  for (const std::string key : {"a", "0", "a.b", "a/b_c-d", "x1"}) {
    EXPECT_THAT(wrong(key, "v"), IsEmpty()) << key;
  }
  for (const std::string key : {"", "A", "-a", "a-", ".", "a b", "ü"}) {
    EXPECT_THAT(wrong(key, "v"), SizeIs(1)) << key;
  }
  EXPECT_THAT(wrong("A\n", "v"), ElementsAre("batch.labels[\"A\\n\"]"));
  EXPECT_THAT(wrong(Repeated(63), Repeated(256)), IsEmpty());
  EXPECT_THAT(wrong(Repeated(64), ""), SizeIs(1));
  EXPECT_THAT(wrong("a", Repeated(257)), ElementsAre("batch.labels[\"a\"]"));
}

TEST_F(Validation, PrioritiesAreWithinAHundred) {
  EXPECT_THAT(Wrong("priority: 100"), IsEmpty());
  EXPECT_THAT(Wrong("priority: 101"), ElementsAre("batch.priority"));
  EXPECT_THAT(Wrong("priority: -101"), ElementsAre("batch.priority"));
}

TEST_F(Validation, NumbersAndChoicesOfABatchAreKnownOnes) {
  EXPECT_THAT(Wrong("max_parallelism: -1"), ElementsAre("batch.max_parallelism"));
  v1::BatchSpec spec = Batch("");
  spec.set_failure_policy(static_cast<v1::FailurePolicy>(3));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.failure_policy"));
  spec = Batch("");
  spec.set_lifetime(static_cast<v1::Lifetime>(3));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.lifetime"));
}

TEST_F(Validation, FairnessKeysHaveAtMost256Bytes) {
  v1::BatchSpec spec = Batch("");
  spec.set_fairness_key(Repeated(256));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.set_fairness_key(Repeated(257));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.fairness_key"));
}

TEST_F(Validation, ThereIsAJobAndNotTooMany) {
  limits_.jobs_per_batch_max = 3;
  v1::BatchSpec spec = Batch("");
  spec.clear_jobs();
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs"));
  for (int i = 0; i < 3; ++i) spec.add_jobs()->mutable_handler()->set_name("echo");
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.add_jobs()->mutable_handler()->set_name("echo");
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs"));
}

TEST_F(Validation, DurationsAreDurations) {
  for (const std::string duration :
       {"seconds: 1 nanos: -1", "seconds: -1 nanos: 1", "nanos: 1000000000", "nanos: -1000000000",
        "seconds: 9223372036854775807"}) {
    EXPECT_THAT(Wrong("timeout { " + duration + " }"), ElementsAre("batch.timeout")) << duration;
  }
  EXPECT_THAT(Wrong("timeout { nanos: 999999999 }"), IsEmpty());
}

TEST_F(Validation, TimeoutsArePositiveAndAtMostTenYears) {
  const std::string ten_years = "seconds: " + std::to_string(kTenYearsSeconds);
  for (const std::string field : {"timeout", "start_timeout", "total_timeout"}) {
    const auto wrong = [&](const std::string& value) {
      return Wrong(absl::StrCat("job_defaults { ", field, " { ", value, " } }"));
    };
    EXPECT_THAT(wrong("nanos: 1"), IsEmpty());
    EXPECT_THAT(wrong(""), ElementsAre("batch.job_defaults." + field));
    EXPECT_THAT(wrong("nanos: -1"), ElementsAre("batch.job_defaults." + field));
    EXPECT_THAT(wrong(ten_years), IsEmpty());
    EXPECT_THAT(wrong(ten_years + " nanos: 1"), ElementsAre("batch.job_defaults." + field));
  }
  EXPECT_THAT(Wrong("timeout {}"), ElementsAre("batch.timeout"));
}

TEST_F(Validation, DelayGraceAndRetentionMayBeZero) {
  EXPECT_THAT(Wrong("job_defaults { delay {} grace_period {} } retention {}"), IsEmpty());
  EXPECT_THAT(Wrong("job_defaults { delay { nanos: -1 } }"),
              ElementsAre("batch.job_defaults.delay"));
  EXPECT_THAT(Wrong("job_defaults { grace_period { seconds: -1 } }"),
              ElementsAre("batch.job_defaults.grace_period"));
  EXPECT_THAT(Wrong("retention { seconds: -1 }"), ElementsAre("batch.retention"));
}

TEST_F(Validation, AJobsOwnOptionsAreNamedWithItsIndex) {
  v1::BatchSpec spec = Batch("");
  for (int i = 0; i < 300; ++i) spec.add_jobs()->mutable_handler()->set_name("echo");
  spec.mutable_jobs(290)->mutable_options()->mutable_timeout();
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[290].options.timeout"));
}

TEST_F(Validation, LostAttemptsAreAtMostAHundred) {
  const std::string path = "batch.job_defaults.max_lost_attempts";
  EXPECT_THAT(Wrong("job_defaults { max_lost_attempts: 100 }"), IsEmpty());
  EXPECT_THAT(Wrong("job_defaults { max_lost_attempts: 101 }"), ElementsAre(path));
  EXPECT_THAT(Wrong("job_defaults { max_lost_attempts: -1 }"), ElementsAre(path));
}

class RetryPolicies : public Validation {
 protected:
  // What is wrong with a policy of two attempts that also says this.
  std::vector<std::string> WrongIn(const std::string& text) const {
    v1::BatchSpec spec = Batch("job_defaults { retry_policy { " + text + " } }");
    v1::RetryPolicy* policy = spec.mutable_job_defaults()->mutable_retry_policy();
    if (policy->max_attempts() == 0) policy->set_max_attempts(2);
    return Wrong(spec);
  }
  const std::string path_ = "batch.job_defaults.retry_policy.";
};

TEST_F(RetryPolicies, HaveOneToAThousandAttempts) {
  EXPECT_THAT(WrongIn("max_attempts: 1"), IsEmpty());
  EXPECT_THAT(WrongIn("max_attempts: 1000"), IsEmpty());
  EXPECT_THAT(WrongIn("max_attempts: 1001"), ElementsAre(path_ + "max_attempts"));
  EXPECT_THAT(WrongIn("max_attempts: -1"), ElementsAre(path_ + "max_attempts"));
  EXPECT_THAT(Wrong("job_defaults { retry_policy {} }"), ElementsAre(path_ + "max_attempts"));
}

TEST_F(RetryPolicies, HaveBackoffsInOrder) {
  EXPECT_THAT(WrongIn("initial_backoff {} max_backoff {}"), IsEmpty());
  EXPECT_THAT(WrongIn("initial_backoff { seconds: 2 } max_backoff { seconds: 2 }"), IsEmpty());
  EXPECT_THAT(WrongIn("initial_backoff { seconds: 2 } max_backoff { seconds: 1 }"),
              ElementsAre(path_ + "max_backoff"));
  EXPECT_THAT(WrongIn("max_backoff { nanos: 1 }"), ElementsAre(path_ + "max_backoff"));
  EXPECT_THAT(WrongIn("initial_backoff { seconds: 300 }"), IsEmpty());
  EXPECT_THAT(WrongIn("initial_backoff { seconds: 301 }"), ElementsAre(path_ + "initial_backoff"));
  EXPECT_THAT(WrongIn("initial_backoff { seconds: -1 }"), ElementsAre(path_ + "initial_backoff"));
  EXPECT_THAT(WrongIn("max_backoff { seconds: -1 }"), ElementsAre(path_ + "max_backoff"));
}

TEST_F(RetryPolicies, HaveFactorsInRange) {
  EXPECT_THAT(WrongIn("backoff_multiplier: 1 jitter: 0"), IsEmpty());
  EXPECT_THAT(WrongIn("backoff_multiplier: 100 jitter: 1"), IsEmpty());
  for (const std::string value : {"0.99", "100.5", "nan", "inf"}) {
    EXPECT_THAT(WrongIn("backoff_multiplier: " + value), ElementsAre(path_ + "backoff_multiplier"));
  }
  for (const std::string value : {"1.01", "-0.01", "nan"}) {
    EXPECT_THAT(WrongIn("jitter: " + value), ElementsAre(path_ + "jitter"));
  }
}

TEST_F(RetryPolicies, ListCodesThatThereAre) {
  EXPECT_THAT(WrongIn("retryable_codes: 1 retryable_codes: 16"), IsEmpty());
  EXPECT_THAT(WrongIn("retryable_codes: 0"), ElementsAre(path_ + "retryable_codes[0]"));
  EXPECT_THAT(WrongIn("retryable_codes: 2 retryable_codes: 17"),
              ElementsAre(path_ + "retryable_codes[1]"));
  EXPECT_THAT(WrongIn("retryable_exit_codes: 1 retryable_exit_codes: 255"), IsEmpty());
  EXPECT_THAT(WrongIn("retryable_exit_codes: 256"), ElementsAre(path_ + "retryable_exit_codes[0]"));
  EXPECT_THAT(WrongIn("retryable_exit_codes: 0"), ElementsAre(path_ + "retryable_exit_codes[0]"));
}

TEST_F(RetryPolicies, ListNoMoreCodesThanThereAre) {
  v1::BatchSpec spec = Batch("job_defaults { retry_policy { max_attempts: 1 } }");
  v1::RetryPolicy* policy = spec.mutable_job_defaults()->mutable_retry_policy();
  for (int i = 0; i < 16; ++i) policy->add_retryable_codes(1);
  for (int i = 0; i < 255; ++i) policy->add_retryable_exit_codes(1);
  EXPECT_THAT(Wrong(spec), IsEmpty());
  policy->add_retryable_codes(1);
  policy->add_retryable_exit_codes(1);
  EXPECT_THAT(Wrong(spec), ElementsAre(path_ + "retryable_codes", path_ + "retryable_exit_codes"));
}

TEST_F(Validation, KeysHaveAtMost256BytesAndNoControlCharacters) {
  v1::BatchSpec spec = Batch("");
  spec.mutable_jobs(0)->set_key(Repeated(256));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.mutable_jobs(0)->set_key(Repeated(257));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].key"));
  spec.mutable_jobs(0)->set_key("a\tb");
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].key"));
}

TEST_F(Validation, TheSecondJobWithAKeyIsNamed) {
  v1::BatchSpec spec;
  for (int i = 0; i < 1000; ++i) {
    v1::Job* job = spec.add_jobs();
    job->set_key(Repeated(100) + std::to_string(i));
    job->mutable_handler()->set_name("echo");
  }
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.mutable_jobs(700)->set_key(spec.jobs(3).key());
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[700].key"));
}

TEST_F(Validation, AJobHasWork) {
  EXPECT_THAT(Wrong("jobs {}"), ElementsAre("batch.jobs[0].work"));
}

TEST_F(Validation, ACommandHasAProgram) {
  EXPECT_THAT(Wrong("jobs { command {} }"), ElementsAre("batch.jobs[0].command.argv"));
  EXPECT_THAT(Wrong("jobs { command { argv: '' } }"), ElementsAre("batch.jobs[0].command.argv[0]"));
}

TEST_F(Validation, ArgumentsHaveTheirNumber) {
  v1::BatchSpec spec = Batch("jobs { command { argv: '/bin/true' } }");
  v1::Command* command = spec.mutable_jobs(0)->mutable_command();
  for (int i = 1; i < 4096; ++i) command->add_argv("");
  EXPECT_THAT(Wrong(spec), IsEmpty());
  command->add_argv("");
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.argv"));
}

TEST_F(Validation, ArgumentsHaveTheirLengths) {
  constexpr size_t kOne = 128 << 10;
  v1::BatchSpec spec = Batch("jobs { command { argv: '/bin/true' } }");
  v1::Command* command = spec.mutable_jobs(0)->mutable_command();
  command->add_argv(Repeated(kOne));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  command->add_argv(Repeated(kOne + 1));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.argv[2]"));

  *command->mutable_argv(2) = Repeated(kOne - std::string("/bin/true").size());
  for (int i = 0; i < 6; ++i) command->add_argv(Repeated(kOne));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  command->add_argv("x");
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.argv"));
}

TEST_F(Validation, NothingButStandardInputOfACommandHasNulBytes) {
  EXPECT_THAT(Wrong(R"(jobs { command { argv: "a" argv: "b\000" env { key: "A" value: "\000" }
                                        working_directory: "/\000" stdin: "\000" } })"),
              ElementsAre("batch.jobs[0].command.argv[1]", "batch.jobs[0].command.env[\"A\"]",
                          "batch.jobs[0].command.working_directory"));
}

TEST_F(Validation, ThereAreAtMostAThousandVariables) {
  v1::BatchSpec spec = Batch("jobs { command { argv: '/bin/true' } }");
  auto& env = *spec.mutable_jobs(0)->mutable_command()->mutable_env();
  for (int i = 0; i < 1000; ++i) env["V" + std::to_string(i)] = "";
  EXPECT_THAT(Wrong(spec), IsEmpty());
  env["ONE_MORE"] = "";
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.env"));
}

TEST_F(Validation, VariablesHaveNamesAndLengths) {
  v1::BatchSpec spec = Batch("jobs { command { argv: '/bin/true' } }");
  auto& env = *spec.mutable_jobs(0)->mutable_command()->mutable_env();
  env["A"] = Repeated((128 << 10) - 3);
  EXPECT_THAT(Wrong(spec), IsEmpty());
  env["A"] += "x";
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.env[\"A\"]"));
  for (const std::string name : {"", "1A", "A-B", "A=B", "ä", "JOBRUNNER_X"}) {
    env.clear();
    env[name] = "";
    EXPECT_THAT(Wrong(spec), SizeIs(1)) << name;
  }
}

TEST_F(Validation, DirectoriesAreAbsolute) {
  EXPECT_THAT(Wrong("jobs { command { argv: 'a' working_directory: 'tmp' } }"),
              ElementsAre("batch.jobs[0].command.working_directory"));
}

TEST_F(Validation, StandardInputAndPayloadHaveTheirLimit) {
  limits_.payload_bytes_max = 10;
  v1::BatchSpec spec = Batch("jobs { command { argv: 'a' } } jobs { handler { name: 'echo' } }");
  spec.mutable_jobs(0)->mutable_command()->set_stdin(Repeated(10));
  spec.mutable_jobs(1)->mutable_handler()->set_payload(Repeated(10));
  spec.mutable_jobs(1)->mutable_handler()->set_content_type(Repeated(256));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.mutable_jobs(0)->mutable_command()->set_stdin(Repeated(11));
  spec.mutable_jobs(1)->mutable_handler()->set_payload(Repeated(11));
  spec.mutable_jobs(1)->mutable_handler()->set_content_type(Repeated(257));
  EXPECT_THAT(Wrong(spec),
              ElementsAre("batch.jobs[0].command.stdin", "batch.jobs[1].handler.payload",
                          "batch.jobs[1].handler.content_type"));
}

TEST_F(Validation, AHandlerHasANameThatIsKnown) {
  EXPECT_THAT(Wrong("jobs { handler {} }"), ElementsAre("batch.jobs[0].handler.name"));
  const Violations violations = Check(Batch("jobs { handler { name: 'nobody' } }"));
  ASSERT_THAT(violations.kept(), SizeIs(1));
  EXPECT_EQ(violations.kept()[0].field, "batch.jobs[0].handler.name");
  EXPECT_EQ(violations.kept()[0].description, "no handler is called nobody");
  EXPECT_FALSE(violations.only_denied());
}

TEST_F(Validation, AHandlerIsNotNamedAsAPoolIsAndPoolsHaveNamesOfTheirOwn) {
  EXPECT_THAT(Wrong("jobs { handler { name: 'pool:build' } }"),
              ElementsAre("batch.jobs[0].handler.name"));
  v1::BatchSpec spec = Batch("jobs { command { argv: 'true' pool: 'pool:build' } }");
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.mutable_jobs(0)->mutable_command()->set_pool(Repeated(kPoolNameBytesMax));
  EXPECT_THAT(Wrong(spec), IsEmpty());
  spec.mutable_jobs(0)->mutable_command()->set_pool(Repeated(kPoolNameBytesMax + 1));
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.pool"));
  EXPECT_THAT(Wrong("jobs { command { argv: 'true' pool: 'a\\nb' } }"),
              ElementsAre("batch.jobs[0].command.pool"));
}

TEST_F(Validation, CommandsThatAreNotAllowedAreDeniedUnlessMoreIsWrong) {
  v1::BatchSpec spec = Batch("jobs { command { argv: '/bin/forbidden' } }");
  EXPECT_THAT(Wrong(spec), ElementsAre("batch.jobs[0].command.argv[0]"));
  EXPECT_TRUE(Check(spec).only_denied());
  spec.set_priority(1000);
  EXPECT_FALSE(Check(spec).only_denied());
}

TEST_F(Validation, OfManyViolationsTheFirstSixteenAreKept) {
  v1::BatchSpec spec;
  for (int i = 0; i < 1000; ++i) spec.add_jobs();
  const Violations violations = Check(spec);
  EXPECT_EQ(violations.count(), 1000);
  ASSERT_THAT(violations.kept(), SizeIs(16));
  EXPECT_EQ(violations.kept()[15].field, "batch.jobs[15].work");
}

TEST(ViolationTexts, AreCutAtACharactersEnd) {
  EXPECT_EQ(CutText("abc", 3), "abc");
  EXPECT_EQ(CutText("abcd", 3), "abc");
  EXPECT_EQ(CutText("aäb", 2), "a");
  EXPECT_EQ(CutText("aäb", 3), "aä");
}

TEST_F(Validation, AnArrayIsHeldToTheRulesOfItsElements) {
  EXPECT_THAT(Wrong(R"(jobs { key: "a" count: 3 handler { name: "echo" payload: "{index}" } })"),
              IsEmpty());
  EXPECT_THAT(Wrong(R"(jobs { handler { name: "echo" } } jobs { count: 3 handler { name: "" } })"),
              ElementsAre("batch.jobs[1].handler.name"));
  EXPECT_THAT(Wrong(R"(jobs { array_begin: 2 handler { name: "echo" } })"),
              ElementsAre("batch.jobs[0].array_begin"));
  // What is too long only with the number filled in.
  EXPECT_THAT(Wrong("jobs { count: 11 key: \"" + Repeated(kNameBytesMax - 3) +
                    "\" handler { name: \"echo\" } }"),
              ElementsAre("batch.jobs[0].key"));
}

TEST_F(Validation, KeysOfElementsAreUniqueLikeAllKeys) {
  EXPECT_THAT(Wrong(R"(jobs { key: "a[2]" handler { name: "echo" } }
                       jobs { key: "a" handler { name: "echo" } }
                       jobs { key: "a" count: 3 handler { name: "echo" } })"),
              ElementsAre("batch.jobs[2].key"));
}

TEST_F(Validation, ElementsOfArraysAreCounted) {
  limits_.jobs_per_batch_max = 10;
  EXPECT_THAT(Wrong(R"(jobs { count: 10 handler { name: "echo" } })"), IsEmpty());
  EXPECT_THAT(Wrong(R"(jobs { count: 10 handler { name: "echo" } }
                       jobs { handler { name: "echo" } })"),
              ElementsAre("batch.jobs"));
}

}  // namespace
}  // namespace jobrunner::engine
