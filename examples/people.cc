#include "people.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

namespace jobrunner::examples {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kCancelled = 1;
constexpr int kInvalidArgument = 3;
constexpr int kFailedPrecondition = 9;

void Add(const char* name, int age, int64_t work_ms, People* people) {
  Person* person = people->add_people();
  person->set_name(name);
  person->set_age(age);
  *person->mutable_work() = TimeUtil::MillisecondsToDuration(work_ms);
}

// Whether the whole time passed without a stop being asked.
bool WorkUnlessStopped(std::chrono::nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_signalled;
  std::unique_lock lock(mutex);
  never_signalled.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

People SixPeople() {
  People people;
  people.set_workers(3);
  Add("Alice", 30, 300, &people);
  Add("Bob", 25, 450, &people);
  Add("Charlie", 36, 150, &people);
  Add("Dave", 40, 400, &people);
  Add("Eve", 28, 200, &people);
  Add("Frank", 32, 350, &people);
  return people;
}

v1::BatchSpec BatchOf(const People& people) {
  v1::BatchSpec batch;
  batch.set_name("people");
  for (const Person& person : people.people()) {
    v1::Job* job = batch.add_jobs();
    job->set_key(person.name());
    job->mutable_handler()->set_name("person");
    job->mutable_handler()->set_payload(person.SerializeAsString());
  }
  return batch;
}

workers::HandlerFunction PersonHandler(std::optional<OldestRule> oldest) {
  return [oldest](workers::HandlerContext& context) -> workers::HandlerResult {
    Person person;
    if (!person.ParseFromString(std::string(context.payload()))) {
      return workers::HandlerError{
          .message = "is not a Person", .code = kInvalidArgument, .retryable = false};
    }
    const std::chrono::nanoseconds work(TimeUtil::DurationToNanoseconds(person.work()));
    if (!WorkUnlessStopped(work, context.stop_token())) {
      return workers::HandlerError{.message = "was interrupted", .code = kCancelled};
    }
    if (oldest && person.age() > oldest->age) {
      return workers::HandlerError{
          .message = absl::StrCat("is ", person.age(), ", over ", oldest->age),
          .code = kFailedPrecondition,
          .critical = oldest->critical};
    }
    return absl::StrCat(person.name(), " is ", person.age());
  };
}

}  // namespace jobrunner::examples
