// How far a store was stable.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace jobrunner::storage {

// A small file beside the database that says up to which write all was synced, so that a start sees
// when the end of the database's log is missing: by itself the database takes a log that is not
// there for one that was never written.
//
//   file  := slot slot
//   slot  := log sequence check       8 bytes each, in the machine's order
//   check := XXH3 of what is before it
//
// A page of memory is the file: writing it is a few stores, no system call, and outlives a process
// that is killed. The machine's death may leave an older mark, which says less and nothing wrong.
// The slots are written by turns, so that one of them is whole at any moment.
class SyncMark {
 public:
  struct Value {
    // The number of the log file in which the last synced write is. 0: none.
    uint64_t log = 0;
    // The sequence number that the database gave it.
    uint64_t sequence = 0;
  };

  // What the file says; a Value of zeros when there is none. DATA_LOSS when it says nothing that
  // can be read. Blocks.
  static absl::StatusOr<Value> Read(const std::string& path);

  // Makes the file unless it is there. The errors of Read, and what the system says. Blocks.
  static absl::StatusOr<std::unique_ptr<SyncMark>> Open(const std::string& path);
  ~SyncMark();
  SyncMark(const SyncMark&) = delete;
  SyncMark& operator=(const SyncMark&) = delete;

  // What is up to there is stable. By one thread at a time; does not block.
  void Set(Value value);

 private:
  struct Slot;
  explicit SyncMark(void* page) : page_(page) {}

  void* const page_;
  // Of the slot that is written next.
  size_t next_ = 0;
};

}  // namespace jobrunner::storage
