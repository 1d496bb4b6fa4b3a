#include "rpc/look_ups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "engine/batch.h"
#include "engine/describe_jobs.h"
#include "engine/limits.h"
#include "engine/proto_time.h"
#include "engine/refusal.h"
#include "rpc/batch_sight.h"
#include "rpc/engine_query.h"
#include "rpc/page_token.h"
#include "rpc/request_rules.h"
#include "rpc/status.h"
#include "rpc/stored_jobs.h"

namespace jobrunner::rpc {
namespace {

absl::Status NoSuchJob(const std::string& key) {
  return engine::Refuse(
      absl::StatusCode::kNotFound, "JOB_NOT_FOUND",
      absl::StrCat("the batch has no job with the key \"", absl::CEscape(key), "\""));
}

// A list's request, read.
template <typename State>
struct ListRequest {
  int32_t page_size = 0;
  std::string position;
  std::vector<State> states;
};

template <typename State, typename Request>
absl::StatusOr<ListRequest<State>> ReadList(const Request& request, bool (*is_valid)(int)) {
  ListRequest<State> list;
  ASSIGN_OR_RETURN(list.page_size, PageSize(request.page_size()));
  RETURN_IF_ERROR(CheckChoices("states", request.states(), is_valid));
  ASSIGN_OR_RETURN(list.position, ReadPageToken(request));
  for (const int state : request.states()) list.states.push_back(static_cast<State>(state));
  return list;
}

// Batches have labels: a page is also bounded by its bytes, with one batch at least.
void FillPage(engine::BatchPage page, const v1::ListBatchesRequest& request,
              v1::ListBatchesResponse* response) {
  int64_t bytes = 0;
  std::string next = page.next_before_id;
  for (v1::Batch& batch : page.batches) {
    bytes += static_cast<int64_t>(batch.ByteSizeLong());
    if (bytes > engine::kMessageBytesMax && !response->batches().empty()) {
      next = response->batches().rbegin()->id();
      break;
    }
    *response->add_batches() = std::move(batch);
  }
  if (!next.empty()) response->set_next_page_token(MakePageToken(request, next));
}

struct FoundJobs {
  engine::JobsPage page;
  // Where each job's shard begins.
  std::vector<int32_t> shard_first_indexes;
};

absl::StatusOr<FoundJobs> FindJobs(const BatchSight& sight, const ListRequest<v1::JobState>& list,
                                   int32_t first_index) {
  const engine::Batch& batch = sight.batch;
  FoundJobs found;
  if (sight.engine == nullptr) {
    found.page = engine::ListJobs(batch, list.states, first_index, list.page_size);
  } else {
    ASSIGN_OR_RETURN(found.page,
                     sight.engine->ListJobs(batch.id(), list.states, first_index, list.page_size));
  }
  for (const v1::JobStatus& job : found.page.jobs) {
    found.shard_first_indexes.push_back(batch.shards()[batch.ShardOf(job.index())].first_index);
  }
  return found;
}

// Which of the two have batches in these states.
bool AsksEngine(const std::vector<v1::BatchState>& states, const engine::Store& store) {
  if (states.empty() || !store.durable()) return true;
  return std::find(states.begin(), states.end(), v1::BATCH_STATE_RUNNING) != states.end();
}

bool AsksStore(const std::vector<v1::BatchState>& states, const engine::Store& store) {
  if (states.empty()) return store.durable();
  return store.durable() && std::any_of(states.begin(), states.end(), [](v1::BatchState state) {
           return state != v1::BATCH_STATE_RUNNING;
         });
}

// Finished batches match these states, if any of them is one.
engine::BatchFilter FinishedAlone(engine::BatchFilter filter) {
  std::erase(filter.states, v1::BATCH_STATE_RUNNING);
  return filter;
}

absl::StatusOr<v1::ListJobsResponse> FillPage(FoundJobs found, const v1::ListJobsRequest& request,
                                              StoredJobs stored) {
  v1::ListJobsResponse response;
  for (size_t i = 0; i < found.page.jobs.size(); ++i) {
    v1::JobStatus& job = *response.add_jobs();
    job = std::move(found.page.jobs[i]);
    ASSIGN_OR_RETURN(*job.mutable_key(), stored.KeyOf(job.index(), found.shard_first_indexes[i]));
  }
  if (found.page.next_index >= 0) {
    response.set_next_page_token(MakePageToken(request, absl::StrCat(found.page.next_index)));
  }
  return response;
}

// The engine knows the delay of a job's shard; the job's own is in its description.
google::protobuf::Timestamp EndOfDelay(const engine::JobDescription& description,
                                       const v1::JobOptions& options) {
  const auto delay =
      options.has_delay() ? engine::FromDuration(options.delay()) : description.default_delay;
  return engine::ToTimestamp(engine::Later(description.accept_time, delay));
}

absl::StatusOr<v1::GetJobResponse> FillJob(engine::JobDescription description, StoredJobs stored) {
  v1::GetJobResponse response;
  v1::JobStatus& status = *response.mutable_job();
  status = std::move(description.status);
  ASSIGN_OR_RETURN(*status.mutable_job(),
                   stored.JobAt(status.index(), description.shard_first_index));
  status.set_key(status.job().key());
  if (status.wait().reason() == v1::WAIT_REASON_DELAY) {
    *status.mutable_wait()->mutable_until_time() = EndOfDelay(description, status.job().options());
  }
  if (description.result_sequence > 0) {
    ASSIGN_OR_RETURN(*status.mutable_result(), stored.ResultAt(description.result_sequence));
  }
  return response;
}

template <typename Response>
void Reply(const absl::StatusOr<Response>& response, const LookUps::Call& call) {
  response.ok() ? call->Answer(*response) : call->Refuse(response.status());
}

}  // namespace

void LookUps::GetBatch(const v1::GetBatchRequest& request, const Call& call) {
  if (const absl::Status status = CheckBatchId(request.batch_id()); !status.ok()) {
    return call->Refuse(status);
  }
  LookAtBatch(
      parts_, &parts_.threads->replies, request.batch_id(),
      [](const BatchSight& sight) -> absl::StatusOr<v1::Batch> { return sight.batch.Describe(); },
      [call](const absl::StatusOr<v1::Batch>& batch) {
        if (!batch.ok()) return call->Refuse(batch.status());
        v1::GetBatchResponse response;
        *response.mutable_batch() = *batch;
        call->Answer(response);
      });
}

void LookUps::ListBatches(const v1::ListBatchesRequest& request, const Call& call) {
  const auto list = ReadList<v1::BatchState>(request, v1::BatchState_IsValid);
  if (!list.ok()) return call->Refuse(list.status());
  auto wanted = std::make_shared<WantedBatches>();
  wanted->filter = {
      request.queue(), list->states, {request.labels().begin(), request.labels().end()}};
  wanted->before_id = list->position;
  wanted->page_size = list->page_size;
  const auto answer = [request, call](absl::StatusOr<engine::BatchPage> page) {
    if (!page.ok()) return call->Refuse(page.status());
    v1::ListBatchesResponse response;
    FillPage(*std::move(page), request, &response);
    call->Answer(response);
  };
  if (!AsksEngine(list->states, *parts_.server.store)) {
    return ListStored(wanted, engine::BatchPage(), answer);
  }
  // In this order a batch that finishes meanwhile is seen at least once.
  AskEngine(
      parts_.server.engine, &parts_.threads->look_ups,
      [wanted](const engine::Engine& engine) {
        return engine.ListBatches(wanted->filter, wanted->before_id, wanted->page_size);
      },
      [this, wanted, answer](engine::BatchPage page) {
        if (!AsksStore(wanted->filter.states, *parts_.server.store)) return answer(std::move(page));
        ListStored(wanted, std::move(page), answer);
      });
}

void LookUps::ListStored(const std::shared_ptr<const WantedBatches>& wanted, engine::BatchPage live,
                         TakePage take) {
  parts_.server.store->ListFinished(
      FinishedAlone(wanted->filter), wanted->before_id, wanted->page_size,
      [=, look_ups = &parts_.threads->look_ups](absl::StatusOr<engine::BatchPage> stored) {
        look_ups->Post([=] {
          if (!stored.ok()) return take(stored.status());
          take(engine::MergePages(live, *stored, wanted->page_size));
        });
      });
}

void LookUps::GetJob(const v1::GetJobRequest& request, const Call& call) {
  if (const absl::Status status = CheckBatchId(request.batch_id()); !status.ok()) {
    return call->Refuse(status);
  }
  switch (request.job_case()) {
    case v1::GetJobRequest::kIndex:
      return DescribeJob(request.batch_id(), request.index(), call);
    case v1::GetJobRequest::kKey:
      return FindJob(request.batch_id(), request.key(), call);
    case v1::GetJobRequest::JOB_NOT_SET:
      return call->Refuse(InvalidField("job", "is not set: neither index nor key"));
  }
}

void LookUps::DescribeJob(const std::string& batch_id, int32_t index, const Call& call) {
  LookAtBatch(
      parts_, &parts_.threads->look_ups, batch_id,
      [index](const BatchSight& sight) {
        return sight.engine == nullptr ? engine::DescribeJob(sight.batch, index)
                                       : sight.engine->DescribeJob(sight.batch.id(), index);
      },
      [store = parts_.server.store, batch_id,
       call](absl::StatusOr<engine::JobDescription> description) {
        if (!description.ok()) return call->Refuse(description.status());
        Reply(FillJob(*std::move(description), StoredJobs(store, batch_id)), call);
      });
}

void LookUps::FindJob(const std::string& batch_id, const std::string& key, const Call& call) {
  // A job without a key does not have the empty one.
  if (key.empty()) return call->Refuse(NoSuchJob(key));
  LookAtBatch(
      parts_, &parts_.threads->look_ups, batch_id,
      [](const BatchSight& sight) -> absl::StatusOr<std::vector<int32_t>> {
        std::vector<int32_t> shards;
        for (const auto& shard : sight.batch.shards()) shards.push_back(shard.first_index);
        return shards;
      },
      [this, batch_id, key, call](const absl::StatusOr<std::vector<int32_t>>& shards) {
        if (!shards.ok()) return call->Refuse(shards.status());
        const auto index = StoredJobs(parts_.server.store, batch_id).Find(key, *shards);
        if (!index.ok()) return call->Refuse(index.status());
        if (*index < 0) return call->Refuse(NoSuchJob(key));
        DescribeJob(batch_id, *index, call);
      });
}

void LookUps::ListJobs(const v1::ListJobsRequest& request, const Call& call) {
  if (const absl::Status status = CheckBatchId(request.batch_id()); !status.ok()) {
    return call->Refuse(status);
  }
  const auto list = ReadList<v1::JobState>(request, v1::JobState_IsValid);
  if (!list.ok()) return call->Refuse(list.status());
  int32_t first_index = 0;
  if (!list->position.empty() && !absl::SimpleAtoi(list->position, &first_index)) {
    return call->Refuse(InvalidField("page_token", "is not one that this server gave"));
  }
  LookAtBatch(
      parts_, &parts_.threads->look_ups, request.batch_id(),
      [list = *list, first_index](const BatchSight& sight) {
        return FindJobs(sight, list, first_index);
      },
      [store = parts_.server.store, request, call](absl::StatusOr<FoundJobs> found) {
        if (!found.ok()) return call->Refuse(found.status());
        Reply(FillPage(*std::move(found), request, StoredJobs(store, request.batch_id())), call);
      });
}

}  // namespace jobrunner::rpc
