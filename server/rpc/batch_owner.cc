#include "rpc/batch_owner.h"

#include <utility>

#include "engine/limits.h"

namespace jobrunner::rpc {

void BatchOwner::Submit(engine::Submit submit) {
  absl::MutexLock lock(&mutex_);
  if (gone_) return;
  submitted_ = true;
  engine_->Tell(std::move(submit));
}

void BatchOwner::ClientGone() {
  absl::MutexLock lock(&mutex_);
  gone_ = true;
  if (!submitted_) return;
  engine::Cancel cancel;
  cancel.batch_id = batch_id_;
  if (deadline_.HasPassed(clock_->Read().steady)) {
    cancel.reason = v1::REASON_CALL_DEADLINE;
    cancel.message = "the deadline of the call passed";
  } else {
    cancel.reason = v1::REASON_CLIENT_DISCONNECTED;
    cancel.message = "the client ended the call or went away";
  }
  cancel.grace = engine::kGraceDefault;
  engine_->Tell(std::move(cancel));
}

}  // namespace jobrunner::rpc
