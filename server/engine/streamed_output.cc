#include "engine/streamed_output.h"

#include <string>

#include "engine/limits.h"

namespace jobrunner::engine {
namespace {

// True if it had to be cut.
bool Cut(std::string* text, int64_t* bytes) {
  const int64_t room = kOutputBytesMax - *bytes;
  const bool is_too_long = static_cast<int64_t>(text->size()) > room;
  if (is_too_long) text->resize(static_cast<size_t>(room));
  *bytes += static_cast<int64_t>(text->size());
  return is_too_long;
}

}  // namespace

bool StreamedOutput::Admit(OutputChunk* chunk) {
  // Events with nothing in them would have no bound.
  if (cut_ || (chunk->output.empty() && chunk->error_output.empty())) return false;
  const bool output_cut = Cut(&chunk->output, &output_bytes_);
  const bool error_output_cut = Cut(&chunk->error_output, &error_output_bytes_);
  cut_ = output_cut || error_output_cut;
  chunk->truncated = cut_;
  return true;
}

}  // namespace jobrunner::engine
