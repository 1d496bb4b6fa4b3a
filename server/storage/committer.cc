#include "storage/committer.h"

#include <utility>

#include "base/status_macros.h"

namespace jobrunner::storage {

Committer::Committer(CommitSink* sink) : sink_(*sink), thread_([this] { Run(); }) {}

Committer::~Committer() {
  mailbox_.Close();
  thread_.join();
}

void Committer::Commit(std::vector<engine::Write> writes, engine::Sync sync,
                       engine::Store::CommitDone done) {
  mailbox_.Put({std::move(writes), sync, std::move(done)});
}

void Committer::Run() {
  Requests requests;
  while (mailbox_.Take(&requests)) {
    for (auto next = requests.begin(); next != requests.end();) {
      next = StoreGroup(next, requests.end());
    }
  }
}

Committer::Requests::iterator Committer::StoreGroup(Requests::iterator begin,
                                                    Requests::iterator end) {
  bool sync = false;
  auto next = begin;
  // One at least, whatever the bound.
  for (; next != end && status_.ok() && (next == begin || sink_.bytes() < kGroupBytesMax); ++next) {
    sync |= next->sync == engine::Sync::kNow;
    Fail(Add(*next));
  }
  if (status_.ok()) Fail(sink_.Store(sync));
  // After an error all that is left is answered with it.
  if (!status_.ok()) next = end;
  for (auto it = begin; it != next; ++it) it->done(status_);
  return next;
}

absl::Status Committer::Add(Request& request) {
  for (engine::Write& write : request.writes) RETURN_IF_ERROR(sink_.Add(std::move(write)));
  request.writes.clear();
  return absl::OkStatus();
}

void Committer::Fail(const absl::Status& status) {
  if (status.ok()) return;
  status_ = status;
  sink_.Failed(status);
}

}  // namespace jobrunner::storage
