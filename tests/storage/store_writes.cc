#include "storage/store_writes.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"

namespace jobrunner::storage {
namespace {

base::WallTime At(int64_t seconds) { return base::WallTime(std::chrono::seconds(seconds)); }

}  // namespace

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

std::string OneJob() {
  v1::BatchSpec jobs;
  jobs.add_jobs()->mutable_handler()->set_name("echo");
  return jobs.SerializeAsString();
}

std::vector<engine::Write> Whole(const FinishedBatch& finished) {
  auto header = std::make_shared<engine::BatchHeader>();
  header->id = finished.id;
  header->request_id = finished.request_id;
  header->fingerprint = "print of " + finished.request_id;
  header->spec.set_queue(finished.queue);
  for (const auto& [key, value] : finished.labels) (*header->spec.mutable_labels())[key] = value;
  header->job_count = 1;
  engine::Accepted accepted{header, {{0, 1, std::make_shared<const std::string>(OneJob()), {}}}};
  return {engine::Append{finished.id, accepted}, Start(finished.id), End(finished)};
}

engine::Write Start(const std::string& batch_id) {
  engine::Changed changed;
  changed.time = At(1);
  changed.changes = {{0, engine::JobTransition::kStart}};
  return engine::Append{batch_id, std::move(changed)};
}

engine::Write End(const FinishedBatch& finished) {
  const bool succeeded = finished.state == v1::BATCH_STATE_SUCCEEDED;
  engine::SegmentBuilder builder(1);
  v1::Event event;
  event.set_sequence(1);
  event.mutable_result()->set_state(succeeded ? v1::JOB_STATE_SUCCEEDED : v1::JOB_STATE_FAILED);
  builder.Add(event);
  event.set_sequence(2);
  event.mutable_batch_finished()->set_state(finished.state);
  event.mutable_batch_finished()->set_succeeded(succeeded);
  event.mutable_batch_finished()->set_failed(!succeeded);
  builder.Add(event);
  engine::Changed changed;
  changed.time = At(2);
  changed.changes = {{.index = 0,
                      .transition = succeeded ? engine::JobTransition::kSucceed
                                              : engine::JobTransition::kFailForGood,
                      .result_sequence = 1}};
  changed.segment = builder.Build();
  changed.finish = engine::Finish{finished.state, At(2), At(finished.expire_time)};
  return engine::Append{finished.id, std::move(changed)};
}

engine::Write Cancel(const std::string& id) {
  return engine::Append{id, engine::CancelRequested()};
}

}  // namespace jobrunner::storage
