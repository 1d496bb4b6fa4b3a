#include "workers/output_capture.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace jobrunner::workers {

OutputCapture::OutputCapture(int64_t bytes_max)
    : first_max_(bytes_max / 2), last_max_(bytes_max - bytes_max / 2) {}

void OutputCapture::Append(std::string_view data) {
  bytes_ += static_cast<int64_t>(data.size());
  const size_t to_first = std::min(data.size(), static_cast<size_t>(first_max_) - first_.size());
  first_.append(data.substr(0, to_first));
  data.remove_prefix(to_first);
  const auto capacity = static_cast<size_t>(last_max_);
  if (data.size() > capacity) data.remove_prefix(data.size() - capacity);
  const size_t to_fill = std::min(data.size(), capacity - last_.size());
  last_.append(data.substr(0, to_fill));
  data.remove_prefix(to_fill);
  // The ring is full: what is left overwrites the oldest.
  while (!data.empty()) {
    const size_t count = std::min(data.size(), capacity - oldest_);
    memcpy(last_.data() + oldest_, data.data(), count);
    oldest_ = (oldest_ + count) % capacity;
    data.remove_prefix(count);
  }
}

int64_t OutputCapture::omitted() const {
  return std::max<int64_t>(0, bytes_ - first_max_ - last_max_);
}

std::string OutputCapture::Take() {
  std::rotate(last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(oldest_), last_.end());
  first_.append(last_);
  return std::move(first_);
}

}  // namespace jobrunner::workers
