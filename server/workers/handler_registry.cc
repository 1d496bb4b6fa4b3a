#include "workers/handler_registry.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "workers/builtin_handlers.h"

namespace jobrunner::workers {
namespace {

constexpr size_t kNameBytesMax = 128;

class FunctionHandler final : public Handler {
 public:
  FunctionHandler(HandlerFunction function, bool never_blocks)
      : function_(std::move(function)), never_blocks_(never_blocks) {}

  HandlerResult Run(HandlerContext& context) override { return function_(context); }
  bool never_blocks() const override { return never_blocks_; }

 private:
  const HandlerFunction function_;
  const bool never_blocks_;
};

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("._/-").find(c) != absl::string_view::npos;
}

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), IsNameCharacter);
}

}  // namespace

HandlerRegistry::HandlerRegistry() {
  for (auto& [name, function] : BuiltInHandlers()) {
    JOBRUNNER_CHECK(Register(name, std::move(function)).ok());
  }
  JOBRUNNER_CHECK(RegisterQuick("echo", Echo).ok());
  built_in_ = Names();
}

absl::Status HandlerRegistry::Register(std::string name, std::shared_ptr<Handler> handler) {
  if (!IsName(name)) {
    return absl::InvalidArgumentError(absl::StrCat("handler name \"", name, "\": must be 1 to ",
                                                   kNameBytesMax,
                                                   " characters of [A-Za-z0-9._/-]"));
  }
  const auto [entry, is_new] = handlers_.try_emplace(std::move(name), std::move(handler));
  if (!is_new) {
    return absl::AlreadyExistsError(
        absl::StrCat("handler name \"", entry->first, "\": is registered already"));
  }
  return absl::OkStatus();
}

absl::Status HandlerRegistry::Register(std::string name, HandlerFunction function) {
  return Register(std::move(name),
                  std::make_shared<FunctionHandler>(std::move(function), /*never_blocks=*/false));
}

absl::Status HandlerRegistry::RegisterQuick(std::string name, HandlerFunction function) {
  return Register(std::move(name),
                  std::make_shared<FunctionHandler>(std::move(function), /*never_blocks=*/true));
}

std::shared_ptr<Handler> HandlerRegistry::Find(std::string_view name) const {
  const auto found = handlers_.find(absl::string_view(name.data(), name.size()));
  return found == handlers_.end() ? nullptr : found->second;
}

std::vector<std::string> HandlerRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, handler] : handlers_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> HandlerRegistry::RegisteredNames() const {
  const std::vector<std::string> names = Names();
  std::vector<std::string> registered;
  std::set_difference(names.begin(), names.end(), built_in_.begin(), built_in_.end(),
                      std::back_inserter(registered));
  return registered;
}

}  // namespace jobrunner::workers
