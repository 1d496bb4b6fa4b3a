// What a loss of power would leave.

#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jobrunner::crash {

// Writes down what has become stable of a directory, as strictly as POSIX puts it: of a file the
// bytes that it had when it was last synced, of a directory the names that it had when it was.
// Nothing is held back from the real disk; a test that plays the loss of power (lossy_disk.py) cuts
// the files and takes the names back. Thread-safe.
//
// The directory that holds all this has
//   disk/         what is watched
//   snapshots/N/  the names of a directory when it was synced: files as hard links, directories
//   empty log           a line for each thing that became stable, and for what cannot be modelled:
//     synced INODE LENGTH      a file is stable up to that length; 0 when it is new
//     entries N DIRECTORY      a directory, relative to disk/ ("." for itself), is as snapshot N
//     mapped N INODE           a file was mapped to be written; snapshot N has what it held then
//     overwritten INODE        a file was changed where it was stable
class StableState {
 public:
  explicit StableState(std::string directory);

  // The file was opened to be written.
  void Opened(const struct stat& file);
  // It will be written at `offset`.
  void Writing(const struct stat& file, off_t offset);
  void Truncated(const struct stat& file, off_t length);
  // It was synced after it had this length.
  void Synced(const struct stat& file);
  // What is open as `fd` is mapped to be written.
  void Mapped(const struct stat& file, int fd);
  // A directory was synced; `path` is relative to disk/, "." for itself.
  void DirectorySynced(const std::string& path);

 private:
  // These require mutex_.
  std::string NewSnapshot();
  void SetLength(ino_t inode, off_t length);
  void Append(const std::string& line);

  const std::string directory_;
  const int log_;
  std::mutex mutex_;
  std::unordered_map<ino_t, off_t> lengths_;
  // By directory.
  std::unordered_map<std::string, std::string> snapshots_;
  int last_snapshot_ = 0;
};

}  // namespace jobrunner::crash
