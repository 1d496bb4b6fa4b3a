#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/thread_role.h"
#include "engine/executor.h"
#include "workers/http/curl_handles.h"
#include "workers/http/http_policy.h"
#include "workers/http/http_sockets.h"
#include "workers/http/http_transfer.h"
#include "workers/http/name_gate.h"
#include "workers/loop_mail.h"
#include "workers/numbered_assignment.h"
#include "workers/poller.h"

namespace jobrunner::workers {

// What the thread of the HTTP executor does: all transfers, by libcurl's multi interface, which
// says what sockets it waits for, so that a step costs what is ready and not what is in flight.
// Start, Stop and End are for any thread and do not block; Run is that thread's life.
class HttpLoop {
 public:
  // `policy`, `resolve` (CURLOPT_RESOLVE; may be null) and `sink` outlive it.
  HttpLoop(Poller poller, const HttpPolicy* policy, curl_slist* resolve, engine::AttemptSink* sink);
  ~HttpLoop();

  void Start(std::vector<NumberedAssignment> work);
  void Stop(const std::vector<engine::StopOrder>& orders) { mail_.Stop(orders); }
  // Run ends what still runs and returns.
  void End() { mail_.End(); }

  void Run();

 private:
  using Mail = LoopMail<HttpTransfer>;

  static int OnTimer(CURLM* multi, long milliseconds, void* self);

  void OpenMulti() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  // When there is something to do without being woken.
  base::SteadyTime NextTime() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Step(Mail::Contents mail, const std::vector<uint64_t>& ready)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void EndAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  void Accept(std::unique_ptr<HttpTransfer> transfer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  // Begins its next request, when its name may be resolved.
  void Queue(uint64_t id, const HttpTransfer& transfer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void BeginQueued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Begin(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  CurlEasy TakeHandle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Obey(const engine::StopOrder& order) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  // Has libcurl go on where a socket is ready or a time has come.
  void Transfer(const std::vector<uint64_t>& ready) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void TakeDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  // Takes the transfer's handle back from libcurl.
  void Detach(HttpTransfer& transfer, CURLcode result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  // Takes the attempt off the table, its outcome to be reported at the end of the step.
  void Settle(uint64_t id, engine::Outcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void Report() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);
  void CloseIdleConnections() ABSL_EXCLUSIVE_LOCKS_REQUIRED(thread_);

  const HttpPolicy& policy_;
  curl_slist* const resolve_;
  engine::AttemptSink& sink_;

  Poller poller_;

  Mail mail_{&poller_};

  base::ThreadRole thread_;
  // When libcurl wants to be called.
  base::SteadyTime curl_time_ ABSL_GUARDED_BY(thread_) = base::SteadyTime::max();
  // When connections that nobody uses are closed.
  base::SteadyTime close_time_ ABSL_GUARDED_BY(thread_) = base::SteadyTime::max();
  // What libcurl waits for; told of connections as long as multi_ has them.
  HttpSockets sockets_ ABSL_GUARDED_BY(thread_);
  CurlMulti multi_ ABSL_GUARDED_BY(thread_);
  // By the numbers of their tokens.
  absl::flat_hash_map<uint64_t, std::unique_ptr<HttpTransfer>> transfers_ ABSL_GUARDED_BY(thread_);
  NameGate names_ ABSL_GUARDED_BY(thread_);
  // To begin now.
  std::vector<uint64_t> queued_ ABSL_GUARDED_BY(thread_);
  // To be used again: a handle has buffers of its own, and options that are all requests'.
  std::vector<CurlEasy> handles_ ABSL_GUARDED_BY(thread_);
  std::vector<engine::Outcome> outcomes_ ABSL_GUARDED_BY(thread_);
};

}  // namespace jobrunner::workers
