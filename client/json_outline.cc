#include "client/json_outline.h"

#include <algorithm>

namespace jobrunner::client {
namespace {

class Outliner {
 public:
  explicit Outliner(std::string_view text) : text_(text) {}

  JsonOutline Run() {
    while (at_ < text_.size()) Take(text_[at_++]);
    return outline_;
  }

 private:
  void Take(char c) {
    if (c == '"') return TakeString();
    if (c == '{' || c == '[') Enter();
    if (c == '}' || c == ']') Leave();
    if (c == ':' && InFirstObject()) outline_.first_keys.push_back(last_string_);
  }

  void Enter() {
    if (depth_++ == 0) ++values_;
    outline_.depth_max = std::max(outline_.depth_max, depth_);
  }

  void Leave() { depth_ = std::max(depth_ - 1, 0); }

  bool InFirstObject() const { return depth_ == 1 && values_ == 1; }

  // Escapes are kept as they are: no name that is looked for has one.
  void TakeString() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
    if (InFirstObject()) last_string_ = text_.substr(begin, at_ - begin);
    ++at_;
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  int values_ = 0;
  std::string last_string_;
  JsonOutline outline_;
};

}  // namespace

JsonOutline OutlineJson(std::string_view text) { return Outliner(text).Run(); }

}  // namespace jobrunner::client
