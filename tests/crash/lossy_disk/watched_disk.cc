#include "watched_disk.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "real_calls.h"

namespace jobrunner::crash {
namespace {

Control* MapControl(const std::string& path) {
  const int fd = Real().open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) abort();
  void* bytes = RealMmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) abort();
  close(fd);
  return static_cast<Control*>(bytes);
}

WatchedDisk* FromEnvironment() {
  const char* directory = getenv("LOSSY_DISK");
  if (directory == nullptr) return nullptr;
  const char* sync = getenv("LOSSY_DISK_SYNC");
  return new WatchedDisk(directory, sync == nullptr || std::string_view(sync) != "off");
}

}  // namespace

WatchedDisk::WatchedDisk(const std::string& directory, bool syncs_logs)
    : root_(directory + "/disk"),
      syncs_logs_(syncs_logs),
      stable_(directory),
      point_(MapControl(directory + "/control")) {}

std::optional<Watched> WatchedDisk::Find(int fd) const {
  std::array<char, PATH_MAX> path;
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  if (size <= 0) return std::nullopt;
  auto within = Within({path.data(), static_cast<size_t>(size)});
  if (!within) return std::nullopt;
  Watched watched{*std::move(within), {}};
  if (fstat(fd, &watched.status) != 0) return std::nullopt;
  return watched;
}

std::optional<std::string> WatchedDisk::Within(std::string_view path) const {
  if (!path.starts_with(root_)) return std::nullopt;
  path.remove_prefix(root_.size());
  if (path.empty()) return ".";
  if (path.front() != '/') return std::nullopt;
  return std::string(path.substr(1));
}

bool WatchedDisk::Syncs(const Watched& file) const {
  return syncs_logs_ || !file.path.ends_with(".log");
}

WatchedDisk* Disk() {
  // Never destroyed: other threads write until the very end.
  static WatchedDisk* const disk = FromEnvironment();
  return disk;
}

}  // namespace jobrunner::crash
