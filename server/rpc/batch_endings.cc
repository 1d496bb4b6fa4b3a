#include "rpc/batch_endings.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/engine_thread.h"
#include "engine/limits.h"
#include "rpc/batch_sight.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"

namespace jobrunner::rpc {
namespace {

void Answer(const absl::StatusOr<v1::Batch>& batch, UnaryCall* call) {
  if (!batch.ok()) return call->Refuse(batch.status());
  v1::CancelResponse response;
  *response.mutable_batch() = *batch;
  call->Answer(response);
}

absl::Status CheckIndexes(const v1::CancelRequest& request, const engine::Batch& batch) {
  for (int i = 0; i < request.job_indexes_size(); ++i) {
    if (request.job_indexes(i) < batch.job_count()) continue;
    return InvalidField(absl::StrCat("job_indexes[", i, "]"),
                        absl::StrCat("the batch has jobs 0 to ", batch.job_count() - 1));
  }
  return absl::OkStatus();
}

// NOT_FOUND is no error to who allows it.
void Answer(const v1::DeleteBatchRequest& request, const absl::Status& status, UnaryCall* call) {
  if (status.ok() || (request.allow_missing() && absl::IsNotFound(status))) {
    return call->Answer(v1::DeleteBatchResponse());
  }
  call->Refuse(status);
}

}  // namespace

void BatchEndings::Cancel(const v1::CancelRequest& request, const Call& call) {
  if (const absl::Status status = CheckCancel(request); !status.ok()) return call->Refuse(status);
  const auto grace =
      GracePeriod(request.has_grace_period(), request.grace_period(), engine::kGraceDefault);
  if (!grace.ok()) return call->Refuse(grace.status());

  engine::Cancel cancel;
  cancel.batch_id = request.batch_id();
  cancel.indexes = {request.job_indexes().begin(), request.job_indexes().end()};
  cancel.message = request.reason();
  cancel.grace = *grace;
  cancel.reply = [this, request, call](absl::StatusOr<v1::Batch> batch) {
    parts_.threads->replies.Post([=, this, batch = std::move(batch)] {
      absl::IsNotFound(batch.status()) ? CancelFinished(request, call) : Answer(batch, call.get());
    });
  };
  parts_.server.engine->Tell(std::move(cancel));
}

void BatchEndings::CancelFinished(const v1::CancelRequest& request, const Call& call) {
  FindStoredBatch(parts_, &parts_.threads->replies, request.batch_id(),
                  [request, call](const FoundBatch& found) {
                    absl::Status status = found.status();
                    if (status.ok()) status = CheckIndexes(request, **found);
                    if (!status.ok()) return call->Refuse(status);
                    Answer((*found)->Describe(), call.get());
                  });
}

// A durable store is asked first whether there is such a batch: the engine, which decides, knows
// only those that run.
void BatchEndings::Delete(const v1::DeleteBatchRequest& request, const Call& call) {
  if (const absl::Status status = CheckBatchId(request.batch_id()); !status.ok()) {
    return Answer(request, status, call.get());
  }
  LookAtBatch(
      parts_, &parts_.threads->replies, request.batch_id(),
      [](const BatchSight& /*sight*/) -> absl::StatusOr<bool> { return true; },
      [this, request, call](const absl::StatusOr<bool>& found) {
        found.ok() ? Remove(request, call) : Answer(request, found.status(), call.get());
      });
}

void BatchEndings::Remove(const v1::DeleteBatchRequest& request, const Call& call) {
  engine::Delete remove;
  remove.batch_id = request.batch_id();
  remove.reply = [replies = &parts_.threads->replies, request, call](const absl::Status& status) {
    replies->Post([=] { Answer(request, status, call.get()); });
  };
  parts_.server.engine->Tell(std::move(remove));
}

}  // namespace jobrunner::rpc
