// Submits batches to a jobrunner server, and follows, waits for and cancels them.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/library/batch_reader.h"
#include "client/library/call_options.h"
#include "client/library/job_source.h"
#include "client/library/retry_limits.h"
#include "jobrunner/v1/batch.pb.h"
#include "jobrunner/v1/job_service.pb.h"

namespace grpc {
class Channel;
}

namespace jobrunner {

// How a batch ended.
struct BatchEnd {
  static constexpr size_t kFailedMax = 1'000;

  // Its state, and how many jobs ended how.
  v1::BatchFinished finished;
  // The results of its jobs that FAILED or were CANCELLED, in the order in which they ended; the
  // first kFailedMax.
  std::vector<v1::Event> failed;
};

// The calls of a server's JobService that a program needs to have work done:
//
//   jobrunner::Client client("127.0.0.1:7420");
//   auto batch = client.Submit(request);
//   auto reader = client.Results(batch->id());
//   for (auto next = reader->Next(); next.ok() && next->has_value(); next = reader->Next()) {
//     for (const v1::Event& event : (*next)->events()) …
//   }
//   auto end = client.Wait(batch->id());
//
// Any thread may call any method; each blocks until it is done. While the server is away, restarts,
// drains or is full, a call is tried again, as RetryLimits say; what is asked twice happens once.
// The messages are those of proto/jobrunner/v1, which say what they mean.
//
// Errors are the codes that the service uses, with the server's own words, which name the field
// that is wrong (batch.jobs[17].options.timeout), and its details as payloads: call_error.h. Those
// that pass (UNAVAILABLE, RESOURCE_EXHAUSTED with RetryInfo) come once patience has run out. Of
// each call beside these: DEADLINE_EXCEEDED and CANCELLED, as CallOptions say. That a job failed is
// no error of a call.
class Client {
 public:
  // `address` as gRPC takes it (host:port, unix:PATH), without TLS. Connects with the first call.
  explicit Client(const std::string& address, RetryLimits limits = {});
  // With TLS, or whatever else the channel was made with. One that other stubs use may be shared.
  explicit Client(std::shared_ptr<grpc::Channel> channel, RetryLimits limits = {});
  // No call may be in progress; readers may outlive their client.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Has a batch accepted, all of it or nothing; returns it once it is stored. Without a request_id
  // it is given one, for all of its tries. After UNAVAILABLE or DEADLINE_EXCEEDED it may have been
  // accepted: who means to ask again sets a request_id of their own. A request that does not fit a
  // message of stock servers (4 MiB) is uploaded, unless one of its jobs alone does not. With
  // LIFETIME_CALL_DEADLINE the batch has the call's timeout, which then must be set. Errors:
  // INVALID_ARGUMENT; PERMISSION_DENIED (a command that is not allowed); ALREADY_EXISTS (the
  // request_id was used with another batch); RESOURCE_EXHAUSTED (too large).
  absl::StatusOr<v1::Batch> Submit(v1::SubmitBatchRequest request, const CallOptions& call = {});

  // Submit, of a batch of any size: `header` has no jobs, they come from `jobs`, again for each
  // try, on the calling thread. Holds one message of them at a time. Errors also those of `jobs`;
  // then no batch was made.
  absl::StatusOr<v1::Batch> Upload(v1::SubmitBatchRequest header, JobSource* jobs,
                                   const CallOptions& call = {});

  // Reads the event log of a batch from after a sequence, live if `follow` is set. Returns at once;
  // BatchReader::Next blocks, and says the errors. `call` is of the reading as a whole.
  std::unique_ptr<BatchReader> Results(v1::StreamResultsRequest request,
                                       const CallOptions& call = {});
  // From the start to the batch's end, live.
  std::unique_ptr<BatchReader> Results(const std::string& batch_id, const CallOptions& call = {});

  // Waits until the batch has finished. Results are read only if there are failures. Errors:
  // NOT_FOUND, also when the batch is removed meanwhile.
  absl::StatusOr<BatchEnd> Wait(const std::string& batch_id, const CallOptions& call = {});

  // Cancels a batch, or the jobs that job_indexes names. Returns when that is stored, with the
  // batch as it stands: running jobs have the grace period to end. What has ended stays as it is,
  // which is no error. Errors: NOT_FOUND; INVALID_ARGUMENT (no such job).
  absl::StatusOr<v1::Batch> Cancel(const v1::CancelRequest& request, const CallOptions& call = {});

  // The batch as it stands. Errors: NOT_FOUND.
  absl::StatusOr<v1::Batch> Get(const std::string& batch_id, const CallOptions& call = {});

 private:
  struct Service;

  // Calls try_once(time left) until it succeeds or there is no point in another try.
  template <typename Try>
  auto Persist(const CallOptions& call, Try try_once) const;
  // Reads the log for the results that `end` is to have.
  absl::Status ReadFailed(const std::string& batch_id, const CallOptions& call, BatchEnd* end);

  const RetryLimits limits_;
  const std::shared_ptr<Service> service_;
};

}  // namespace jobrunner
