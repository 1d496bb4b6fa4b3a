#include "rpc/page_token.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* Field(const Message& request, const char* name) {
  return request.GetDescriptor()->FindFieldByName(name);
}

std::string Digest(const Message& request) {
  const std::unique_ptr<Message> rest(request.New());
  rest->CopyFrom(request);
  rest->GetReflection()->ClearField(rest.get(), Field(*rest, "page_size"));
  rest->GetReflection()->ClearField(rest.get(), Field(*rest, "page_token"));

  std::string bytes = request.GetTypeName();
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    rest->SerializeToCodedStream(&output);
  }
  XXH64_canonical_t canonical;
  XXH64_canonicalFromHash(&canonical, XXH3_64bits(bytes.data(), bytes.size()));
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
}

}  // namespace

std::string MakePageToken(const Message& request, std::string_view position) {
  return absl::WebSafeBase64Escape(absl::StrCat(Digest(request), std::string(position)));
}

absl::StatusOr<std::string> ReadPageToken(const Message& request) {
  const std::string token =
      request.GetReflection()->GetString(request, Field(request, "page_token"));
  if (token.empty()) return std::string();
  std::string bytes;
  const std::string digest = Digest(request);
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() <= digest.size()) {
    return InvalidField("page_token", "is not one that this server gave");
  }
  if (bytes.compare(0, digest.size(), digest) != 0) {
    return InvalidField("page_token", "comes from a request with other fields");
  }
  return bytes.substr(digest.size());
}

}  // namespace jobrunner::rpc
