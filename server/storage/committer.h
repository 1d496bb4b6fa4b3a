// The thread that writes.

#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mailbox.h"
#include "engine/store.h"

namespace jobrunner::storage {

// Where a group of commits goes. The committer's thread alone calls it.
class CommitSink {
 public:
  virtual ~CommitSink() = default;

  // Adds to the group that is being gathered. Nothing of it is stored yet.
  virtual absl::Status Add(engine::Write write) = 0;
  // Of the group, about.
  virtual int64_t bytes() const = 0;
  // Stores the group, all of it or nothing, stable if `sync`. The next Add begins a new one.
  virtual absl::Status Store(bool sync) = 0;
  // Called once, after the first error: nothing more will be added or stored.
  virtual void Failed(const absl::Status& status) = 0;
};

// Group commit: what arrives while a group is being stored goes into the next one, up to about
// kGroupBytesMax so that nobody waits for long. A group is synced if one of its commits asks for
// it.
//
// After an error nothing is tried again and nothing more is stored: that group and every later
// commit are answered with the error, since after a failed sync nobody knows what is on the disk.
class Committer {
 public:
  static constexpr int64_t kGroupBytesMax = 4 << 20;

  // `sink` outlives the committer.
  explicit Committer(CommitSink* sink);
  // Blocks until every commit is stored and answered.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Any thread; does not block. `done` runs on the committer's thread, in the order of the calls.
  void Commit(std::vector<engine::Write> writes, engine::Sync sync, engine::Store::CommitDone done);

 private:
  struct Request {
    std::vector<engine::Write> writes;
    engine::Sync sync = engine::Sync::kNow;
    engine::Store::CommitDone done;
  };
  using Requests = std::vector<Request>;

  void Run();
  // Stores as many of the requests from `begin` on as make a group, and answers them. Returns the
  // first that it left.
  Requests::iterator StoreGroup(Requests::iterator begin, Requests::iterator end);
  absl::Status Add(Request& request);
  void Fail(const absl::Status& status);

  CommitSink& sink_;
  base::Mailbox<Request> mailbox_;
  // The committer's thread's own.
  absl::Status status_;
  std::thread thread_;
};

}  // namespace jobrunner::storage
