#include "client/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {
namespace {

bool IsNameCharacter(unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; }

bool IsGiven(const std::string& name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), IsNameCharacter) &&
         !absl::StartsWith(name, "JOBRUNNER_");
}

}  // namespace

std::string Environment(const char* name, const std::string& otherwise) {
  const char* value = getenv(name);
  return value == nullptr ? otherwise : value;
}

std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string::npos || !IsUtf8(text)) continue;
    const std::string name = text.substr(0, equals);
    if (IsGiven(name)) environment[name] = text.substr(equals + 1);
  }
  return environment;
}

absl::StatusOr<std::map<std::string, std::string>> NamedEnvironment(
    const std::vector<std::string>& names) {
  std::map<std::string, std::string> environment;
  for (const std::string& name : names) {
    const char* value = getenv(name.c_str());
    if (value == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--env ", SafeText(name), ": there is no such variable"));
    }
    environment[name] = value;
  }
  return environment;
}

}  // namespace jobrunner::client
