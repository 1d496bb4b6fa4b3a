// The directory that a store lives in.

#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::storage {

// Holds a directory for one process at a time, until it is destroyed or the process ends:
//
//   DIRECTORY/OWNER      locked (flock) while it is held; says which process it was, last
//   DIRECTORY/SYNCED     up to where it was stable (sync_mark.h)
//   DIRECTORY/rocksdb/   the database
//
// Both directories are made with mode 0700.
class StoreDirectory {
 public:
  // Makes the directory unless it is there; what it lies in has to be. FAILED_PRECONDITION when
  // another process holds it, which the message names, or when it has something in it but is no
  // store; DATA_LOSS for a database that lacks its main file; otherwise what the system said.
  static absl::StatusOr<std::unique_ptr<StoreDirectory>> Take(std::string path);
  // Holds a store that is there, and changes nothing in it; several may. FAILED_PRECONDITION when
  // a process serves from it, NOT_FOUND when there is no store.
  static absl::StatusOr<std::unique_ptr<StoreDirectory>> TakeToRead(std::string path);
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/rocksdb"; }
  std::string mark() const { return path_ + "/SYNCED"; }
  // There is no database yet.
  bool is_new() const { return is_new_; }

 private:
  StoreDirectory(std::string path, int owner);

  const std::string path_;
  const int owner_;
  bool is_new_ = false;
};

}  // namespace jobrunner::storage
