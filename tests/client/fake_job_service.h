#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "jobrunner/v1/job_service.grpc.pb.h"

namespace grpc {
class Server;
}

namespace jobrunner::client {

// A JobService on a loopback port that runs nothing: each batch's jobs are given their results by a
// function of the test, when the batch is submitted. Thread-safe. Faults it may be told to inject:
// refused submits, and streams that break.
class FakeJobService final : public v1::JobService::Service {
 public:
  // The result of a job; none: it stays unfinished until its batch is cancelled.
  using Runner = std::function<std::optional<v1::JobResult>(const v1::Job& job)>;

  explicit FakeJobService(Runner runner);
  ~FakeJobService() override;

  std::string address() const;

  // The next streams end with these statuses after so many messages of one event each, one a
  // stream.
  struct Break {
    int after_events = 0;
    grpc::Status status;
  };
  void BreakNextStreams(std::vector<Break> breaks);
  // The next submits are answered so, one each; the batch of a lost answer is accepted all the
  // same.
  struct Refusal {
    grpc::Status status;
    bool accepted = false;
  };
  void RefuseNextSubmits(std::vector<Refusal> refusals);
  // Streams repeat this many events before the place that was asked for.
  void RepeatOnResume(int events);
  // Streams leave out the event with this sequence.
  void LeaveOut(int64_t sequence);

  // What was asked, in order. Uploads, whole ones alone, are among the submits.
  std::vector<v1::SubmitBatchRequest> submits() const;
  // The most bytes that a message of an upload had, and how many there were.
  size_t upload_message_bytes_max() const;
  int upload_messages() const;
  std::vector<v1::StreamResultsRequest> streams() const;
  std::vector<v1::CancelRequest> cancels() const;
  // Injected faults that have not happened so far.
  size_t breaks_left() const;

  // Adds a result to a batch that is open, as if the job had ended now.
  void EndJob(const std::string& batch_id, int index, v1::JobResult result);
  // Blocks until a batch has been submitted, and returns the id of the n-th, from 0.
  std::string AwaitBatch(size_t n);
  // Blocks until a cancel has come.
  void AwaitCancel();

  grpc::Status SubmitBatch(grpc::ServerContext*, const v1::SubmitBatchRequest* request,
                           v1::SubmitBatchResponse* response) override;
  grpc::Status UploadBatch(grpc::ServerContext*, grpc::ServerReader<v1::UploadBatchRequest>* reader,
                           v1::UploadBatchResponse* response) override;
  grpc::Status StreamResults(grpc::ServerContext* context, const v1::StreamResultsRequest* request,
                             grpc::ServerWriter<v1::StreamResultsResponse>* writer) override;
  grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest* request,
                      v1::CancelResponse* response) override;

 private:
  struct Log {
    std::string id;
    std::string request_id;
    std::vector<bool> ended;
    std::vector<v1::Event> events;
    bool cancelled = false;
  };

  // How the next submit that comes is answered.
  grpc::Status Answer(const v1::SubmitBatchRequest& request, v1::Batch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Log* Find(const std::string& batch_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Log* Accept(const v1::SubmitBatchRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Add(Log* log, v1::Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(Log* log, int index, v1::JobResult result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The event after `sequence`; waits for it. None: the log has ended before.
  std::optional<v1::Event> Await(Log* log, int64_t sequence, grpc::ServerContext* context);

  const Runner runner_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Log>> logs_ ABSL_GUARDED_BY(mutex_);
  std::vector<Break> breaks_ ABSL_GUARDED_BY(mutex_);
  std::vector<Refusal> refusals_ ABSL_GUARDED_BY(mutex_);
  int repeat_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<v1::SubmitBatchRequest> submits_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::StreamResultsRequest> streams_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::CancelRequest> cancels_ ABSL_GUARDED_BY(mutex_);
  size_t upload_message_bytes_max_ ABSL_GUARDED_BY(mutex_) = 0;
  int upload_messages_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

// Results for runners.
v1::JobResult Succeeded(const std::string& output);
v1::JobResult FailedWith(int exit_code);

}  // namespace jobrunner::client
