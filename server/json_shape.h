// Whether a JSON text has the shape of a message.

#pragma once

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace jobrunner::server {

// Reads a JSON text beside the descriptor of the message it should make, for what Protobuf's parser
// lets pass: a name given twice (the last one counts), an object where a list should be, "yes" for
// true, single quotes. It goes no deeper than the schema does, so that a text of a million brackets
// is refused at the first one too many; a schema that contains itself is cut off at kDepthMax.
//
// Numbers, durations and escapes are left to Protobuf's parser. One text, one object.
class JsonShape {
 public:
  static constexpr int kDepthMax = 64;

  // INVALID_ARGUMENT naming the field, or the line if the text is not JSON.
  static absl::Status Check(std::string_view json, const google::protobuf::Descriptor& message);

 private:
  using Descriptor = google::protobuf::Descriptor;
  using FieldDescriptor = google::protobuf::FieldDescriptor;

  explicit JsonShape(std::string_view json) : json_(json) {}

  absl::Status Object(const Descriptor& message, const std::string& path);
  absl::Status Member(const Descriptor& message, const std::string& path, std::set<int>* seen);
  absl::Status Map(const std::string& path);
  absl::Status List(const FieldDescriptor& field, const std::string& path);
  absl::Status Value(const FieldDescriptor& field, const std::string& path);
  absl::Status Single(const FieldDescriptor& field, const std::string& path);

  // What is next, white space skipped; 0 at the end.
  char Peek();
  // Whether `c` was next, and is behind us now.
  bool Take(char c);
  absl::StatusOr<std::string> String(std::string_view what);
  // A number, true, false or null.
  std::string_view Literal();
  // An object's or a list's members, up to `close`.
  template <class Each>
  absl::Status Members(char close, Each each);

  absl::Status NotJson(std::string_view expected) const;

  const std::string_view json_;
  size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace jobrunner::server
