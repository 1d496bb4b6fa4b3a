#include "storage/disk_room.h"

#include <sys/statvfs.h>

#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace jobrunner::storage {
namespace {

constexpr int64_t kLookEvery = std::chrono::nanoseconds(std::chrono::seconds(1)).count();

int64_t SteadyNow() { return base::RealClock().Read().steady.time_since_epoch().count(); }

}  // namespace

DiskRoom::DiskRoom(std::string path, int64_t reserve)
    : path_(std::move(path)), reserve_(reserve), looked_(SteadyNow()), free_(FreeBytes()) {}

absl::Status DiskRoom::Check() const {
  const int64_t now = SteadyNow();
  int64_t looked = looked_.load(std::memory_order_relaxed);
  if (now - looked >= kLookEvery && looked_.compare_exchange_strong(looked, now)) {
    free_.store(FreeBytes(), std::memory_order_relaxed);
  }
  const int64_t free = free_.load(std::memory_order_relaxed);
  if (free >= reserve_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the store's disk has ", free >> 20,
                                                   " MiB free, and keeps ", reserve_ >> 20,
                                                   " MiB for the results of what was accepted"));
}

int64_t DiskRoom::FreeBytes() const {
  struct statvfs found {};
  if (statvfs(path_.c_str(), &found) != 0) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(found.f_bavail) * static_cast<int64_t>(found.f_frsize);
}

}  // namespace jobrunner::storage
