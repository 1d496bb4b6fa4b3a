#include "server/json_shape.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"

namespace jobrunner::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

absl::Status Wrong(const std::string& path, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path.empty() ? "configuration" : path, ": ",
                                                 absl::string_view(why.data(), why.size())));
}

std::string Join(const std::string& path, const std::string& name) {
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->full_name() == "google.protobuf.Duration";
}

// What a value of the field begins with is told by this, in words for people.
std::string_view KindOf(const FieldDescriptor& field) {
  if (IsDuration(field)) return "a duration in quotes, as \"5s\"";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "an object";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    default:
      return "a number";
  }
}

bool IsNumber(std::string_view literal) {
  return !literal.empty() && (literal[0] == '-' || absl::ascii_isdigit(literal[0]));
}

}  // namespace

absl::Status JsonShape::Check(std::string_view json, const Descriptor& message) {
  JsonShape shape(json);
  if (shape.Peek() != '{') return shape.NotJson("an object in { }");
  RETURN_IF_ERROR(shape.Object(message, ""));
  if (shape.Peek() != 0) return shape.NotJson("the end of the text");
  return absl::OkStatus();
}

template <class Each>
absl::Status JsonShape::Members(char close, Each each) {
  ++position_;
  if (Take(close)) return absl::OkStatus();
  if (++depth_ > kDepthMax) return NotJson("less nesting");
  do {
    RETURN_IF_ERROR(each());
  } while (Take(','));
  --depth_;
  if (!Take(close)) return NotJson(close == '}' ? "',' or '}'" : "',' or ']'");
  return absl::OkStatus();
}

absl::Status JsonShape::Object(const Descriptor& message, const std::string& path) {
  std::set<int> seen;
  return Members('}', [&] { return Member(message, path, &seen); });
}

absl::Status JsonShape::Member(const Descriptor& message, const std::string& path,
                               std::set<int>* seen) {
  ASSIGN_OR_RETURN(const std::string name, String("a name in double quotes"));
  const FieldDescriptor* field = message.FindFieldByName(name);
  if (field == nullptr) field = message.FindFieldByCamelcaseName(name);
  if (field == nullptr) return Wrong(Join(path, name), "no such field");
  if (!seen->insert(field->number()).second) return Wrong(Join(path, name), "given twice");
  if (!Take(':')) return NotJson("':'");
  return Value(*field, Join(path, name));
}

absl::Status JsonShape::Map(const std::string& path) {
  std::set<std::string> seen;
  return Members('}', [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::string name, String("a name in double quotes"));
    if (!seen.insert(name).second) return Wrong(Join(path, name), "given twice");
    if (!Take(':')) return NotJson("':'");
    if (Peek() != '"') return Wrong(Join(path, name), "must be a string");
    return String("a string").status();
  });
}

absl::Status JsonShape::List(const FieldDescriptor& field, const std::string& path) {
  int index = 0;
  return Members(']', [&] { return Single(field, absl::StrCat(path, "[", index++, "]")); });
}

absl::Status JsonShape::Value(const FieldDescriptor& field, const std::string& path) {
  if (Peek() == 'n') {
    // As if the field were not there.
    return Literal() == "null" ? absl::OkStatus() : Wrong(path, "is no JSON value");
  }
  if (field.is_map()) {
    return Peek() == '{' ? Map(path) : Wrong(path, "must be an object");
  }
  if (field.is_repeated()) {
    return Peek() == '[' ? List(field, path) : Wrong(path, "must be a list in [ ]");
  }
  return Single(field, path);
}

absl::Status JsonShape::Single(const FieldDescriptor& field, const std::string& path) {
  const char next = Peek();
  const std::string must_be = absl::StrCat("must be ", std::string(KindOf(field)));
  if (next == '"') {
    // Protobuf's parser takes numbers in quotes, since JSON's own have 53 bits.
    const bool may_be_quoted = field.cpp_type() != FieldDescriptor::CPPTYPE_BOOL &&
                               (field.message_type() == nullptr || IsDuration(field));
    return may_be_quoted ? String("a string").status() : Wrong(path, must_be);
  }
  if (next == '{') {
    const bool may_be_object = field.message_type() != nullptr && !IsDuration(field);
    return may_be_object ? Object(*field.message_type(), path) : Wrong(path, must_be);
  }
  if (next == 0 || !(next == '-' || absl::ascii_isalnum(next))) {
    return next == '[' ? Wrong(path, must_be) : NotJson("a value");
  }
  const std::string_view literal = Literal();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
    case FieldDescriptor::CPPTYPE_STRING:
      return Wrong(path, must_be);
    case FieldDescriptor::CPPTYPE_BOOL:
      return literal == "true" || literal == "false" ? absl::OkStatus() : Wrong(path, must_be);
    default:
      return IsNumber(literal) ? absl::OkStatus() : Wrong(path, must_be);
  }
}

char JsonShape::Peek() {
  position_ = std::min(json_.find_first_not_of(" \t\r\n", position_), json_.size());
  return position_ < json_.size() ? json_[position_] : 0;
}

bool JsonShape::Take(char c) {
  if (Peek() != c) return false;
  ++position_;
  return true;
}

// The raw text between the quotes: no name of ours needs an escape, so that one with an escape is
// simply not known.
absl::StatusOr<std::string> JsonShape::String(std::string_view what) {
  if (!Take('"')) return NotJson(what);
  const size_t start = position_;
  for (; position_ < json_.size() && json_[position_] != '"'; ++position_) {
    if (static_cast<unsigned char>(json_[position_]) < 0x20) return NotJson("no control character");
    if (json_[position_] == '\\') ++position_;
  }
  if (position_ >= json_.size()) return NotJson("the closing '\"' of a string");
  return std::string(json_.substr(start, position_++ - start));
}

std::string_view JsonShape::Literal() {
  const size_t start = position_;
  while (position_ < json_.size() &&
         (absl::ascii_isalnum(json_[position_]) || json_[position_] == '-' ||
          json_[position_] == '+' || json_[position_] == '.')) {
    ++position_;
  }
  return json_.substr(start, position_ - start);
}

absl::Status JsonShape::NotJson(std::string_view expected) const {
  const std::string_view before = json_.substr(0, std::min(position_, json_.size()));
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return absl::InvalidArgumentError(
      absl::StrCat("line ", std::count(before.begin(), before.end(), '\n') + 1, ", column ",
                   before.size() - line_start + 1, ": expected ",
                   absl::string_view(expected.data(), expected.size())));
}

}  // namespace jobrunner::server
