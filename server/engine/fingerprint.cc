#include "engine/fingerprint.h"

// The functions themselves, so that nothing is linked and nothing is needed at run time.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace jobrunner::engine {

struct Fingerprint::State {
  XXH3_state_t hash;
  // The message at hand; kept, so that its memory is.
  std::string bytes;
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->hash);
}

Fingerprint::~Fingerprint() = default;

std::string Fingerprint::Finish(const v1::BatchSpec& spec) {
  Add(spec);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->hash));
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
}

void Fingerprint::Add(const google::protobuf::MessageLite& message) {
  state_->bytes.clear();
  {
    google::protobuf::io::StringOutputStream stream(&state_->bytes);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    // With its length before it: where one message ends is part of what is summed up.
    output.WriteVarint32(static_cast<uint32_t>(message.ByteSizeLong()));
    message.SerializeWithCachedSizes(&output);
  }
  XXH3_128bits_update(&state_->hash, state_->bytes.data(), state_->bytes.size());
}

}  // namespace jobrunner::engine
