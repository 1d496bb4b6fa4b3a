#include "http/scripted_names.h"

#include <dlfcn.h>
#include <netdb.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"

namespace jobrunner::test {
namespace {

class Script {
 public:
  void Set(const std::string& name, std::vector<std::string> addresses) {
    absl::MutexLock lock(&mutex_);
    name_ = name;
    addresses_ = {addresses.begin(), addresses.end()};
  }
  size_t left() const {
    absl::MutexLock lock(&mutex_);
    return addresses_.size();
  }
  std::optional<std::string> Next(const char* name) {
    absl::MutexLock lock(&mutex_);
    if (name == nullptr || name_ != name || addresses_.empty()) return std::nullopt;
    std::string next = std::move(addresses_.front());
    addresses_.pop_front();
    return next;
  }

 private:
  mutable absl::Mutex mutex_;
  std::string name_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
};

Script& TheScript() {
  static Script script;
  return script;
}

}  // namespace

void AnswerLookUps(const std::string& name, std::vector<std::string> addresses) {
  TheScript().Set(name, std::move(addresses));
}

size_t LookUpsLeft() { return TheScript().left(); }

}  // namespace jobrunner::test

// In place of the C library's, which answers for all other names.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto kSystems = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  JOBRUNNER_CHECK(kSystems != nullptr);
  const auto scripted = jobrunner::test::TheScript().Next(name);
  if (!scripted) return kSystems(name, service, hints, found);
  if (scripted->empty()) return EAI_NONAME;
  return kSystems(scripted->c_str(), service, hints, found);
}
