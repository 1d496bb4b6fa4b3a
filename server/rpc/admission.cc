#include "rpc/admission.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/engine_thread.h"
#include "engine/refusal.h"
#include "engine/store.h"

namespace jobrunner::rpc {
namespace {

// One submission on its way to the engine; it lives as long as its callbacks.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  Admission(const ServiceParts& parts, engine::Submission submission, BatchTaken taken,
            std::function<void(engine::Submit)> tell)
      : parts_(parts),
        submission_(std::make_unique<engine::Submission>(std::move(submission))),
        taken_(std::move(taken)),
        tell_(std::move(tell)) {}

  void Begin() {
    const engine::Store& store = *parts_.server.store;
    if (submission_->request_id.empty() || !store.durable()) return TellIfThereIsRoom();
    submission_->looked_up_at = parts_.server.clock->Read().steady;
    parts_.server.store->FindRequest(
        submission_->request_id,
        [self = shared_from_this()](absl::StatusOr<engine::KnownRequest> found) {
          self->Found(std::move(found));
        });
  }

 private:
  void Found(absl::StatusOr<engine::KnownRequest> found) {
    if (absl::IsNotFound(found.status())) return TellIfThereIsRoom();
    if (!found.ok()) return Refuse(found.status());
    if (found->removed) {
      return Answer({std::move(found->fingerprint), *std::move(found->removed)});
    }
    parts_.server.store->FindBatch(
        found->batch_id,
        [self = shared_from_this(), fingerprint = found->fingerprint](const auto& batch) {
          // What the store does not have runs: the engine knows it, and its request.
          if (absl::IsNotFound(batch.status())) return self->Tell();
          if (!batch.ok()) return self->Refuse(batch.status());
          self->Answer({fingerprint, (*batch)->Describe()});
        });
  }

  // Nothing new is stored for it.
  void Answer(engine::KnownAnswer known) {
    submission_->known = std::move(known);
    Tell();
  }

  void TellIfThereIsRoom() {
    const absl::Status room = CheckRoom(*parts_.server.store);
    room.ok() ? Tell() : Refuse(room);
  }

  void Refuse(const absl::Status& status) {
    parts_.threads->replies.Post([taken = taken_, status] { taken(status); });
  }

  void Tell() {
    engine::Submit submit;
    submit.submission = std::move(submission_);
    submit.reply = [replies = &parts_.threads->replies, taken = taken_](
                       absl::StatusOr<v1::Batch> batch, bool /*replayed*/) {
      replies->Post([taken, batch = std::move(batch)] { taken(batch); });
    };
    tell_(std::move(submit));
  }

  const ServiceParts& parts_;
  std::unique_ptr<engine::Submission> submission_;
  const BatchTaken taken_;
  const std::function<void(engine::Submit)> tell_;
};

}  // namespace

absl::Status CheckRoom(const engine::Store& store) {
  absl::Status room = store.CheckRoom();
  if (room.ok()) return room;
  return engine::Refuse(room.code(), "STORE_FULL",
                        absl::StrCat("the store takes no new batch: ", room.message()));
}

void Admit(const ServiceParts& parts, engine::Submission submission, const BatchTaken& taken,
           const std::function<void(engine::Submit)>& tell) {
  std::make_shared<Admission>(parts, std::move(submission), taken, tell)->Begin();
}

void Admit(const ServiceParts& parts, engine::Submission submission, const BatchTaken& taken) {
  Admit(parts, std::move(submission), taken,
        [engine = parts.server.engine](engine::Submit submit) { engine->Tell(std::move(submit)); });
}

}  // namespace jobrunner::rpc
