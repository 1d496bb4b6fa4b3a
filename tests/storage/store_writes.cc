#include "storage/store_writes.h"

#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"

namespace jobrunner::storage {

absl::Status Commit(engine::Store& store, std::vector<engine::Write> writes, engine::Sync sync) {
  absl::Status result;
  absl::Notification done;
  store.Commit(std::move(writes), sync, [&](absl::Status status) {
    result = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

engine::Write Accept(const std::string& id, std::string bytes) {
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = id;
  header->job_count = 1;
  auto shard = std::make_shared<const std::string>(std::move(bytes));
  return engine::Append{id, engine::Accepted{header, {{0, 1, std::move(shard), {}}}}};
}

engine::Write Cancel(const std::string& id) {
  return engine::Append{id, engine::CancelRequested()};
}

}  // namespace jobrunner::storage
