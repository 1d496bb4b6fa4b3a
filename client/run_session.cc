#include "client/run_session.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/library/safe_text.h"
#include "jobrunner/v1/job_service.pb.h"

namespace jobrunner::client {
namespace {

// Messages of up to 1 MiB that wait to be shown.
constexpr size_t kInboxMax = 16;
// Of one request; servers take 64 MiB.
constexpr size_t kRequestBytesMax = 16 << 20;
// Kept back by --keep-order, before no more is submitted.
constexpr int64_t kHeldBytesMax = 64 << 20;
constexpr int kSignalled = 128;

// Ended by its own fault, or by a deadline of its own.
bool Failed(const v1::JobResult& result) {
  switch (result.error().reason()) {
    case v1::REASON_START_TIMEOUT:
    case v1::REASON_TOTAL_TIMEOUT:
    case v1::REASON_BATCH_TIMEOUT:
      return true;
    default:
      return result.state() == v1::JOB_STATE_FAILED;
  }
}

// The server names the jobs that it refuses, by their index in their batch.
bool IsAboutJobs(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsPermissionDenied(status);
}

}  // namespace

RunSession::RunSession(Options options, Client* client, JobBuilder* builder, RunOutput* output)
    : options_(std::move(options)),
      client_(client),
      builder_(builder),
      output_(output),
      start_(absl::Now()),
      inbox_(kInboxMax),
      canceller_(client),
      admission_(options_.admission) {}

RunSession::~RunSession() {
  inbox_.Close();
  for (auto& [number, batch] : open_) batch.follower->Abandon();
}

absl::StatusOr<int> RunSession::Run(ArgumentSource* arguments) {
  arguments_ = arguments;
  absl::Time redraw = absl::InfiniteFuture();
  for (SubmitWhatFits(); !Finished(); SubmitWhatFits()) {
    auto message = inbox_.Take(redraw);
    if (message)
      std::visit([this](auto&& news) { Handle(std::forward<decltype(news)>(news)); },
                 std::move(*message));
    FlushWhenIdle();
    redraw = output_->Draw(Progress());
  }
  output_->Finish();
  // Whatever has come meanwhile: the end of the arguments, say.
  Flush();
  return Outcome();
}

void RunSession::ArgumentsCame() {
  if (!arguments_noted_.exchange(true)) inbox_.PutNow(ArgumentsReady{});
}

void RunSession::Signalled(int signal) {
  // Not left to the thread in Run, which may be waiting for the reader of its output.
  canceller_.CancelAll(absl::StrCat("the client got SIG", sigabbrev_np(signal)));
  inbox_.PutNow(Signal{signal});
}

void RunSession::ServerEnded(std::string said) { inbox_.PutNow(ServerGone{std::move(said)}); }

// What came is submitted after every message.
void RunSession::Handle(ArgumentsReady) { arguments_noted_ = false; }

void RunSession::Handle(Events events) {
  const auto batch = open_.find(events.batch);
  for (v1::Event& event : *events.response.mutable_events()) {
    Take(&batch->second, std::move(event));
  }
}

void RunSession::Handle(BatchEnded ended) {
  const auto batch = open_.find(ended.batch);
  const int64_t first = batch->second.jobs.front().sequence;
  admission_.BatchEnded(&batch->second.share);
  open_.erase(batch);
  if (ended.status.ok()) return;
  if (first > 1 && IsAboutJobs(ended.status)) {
    output_->Remark(
        absl::StrCat("of the jobs from number ", first, " on, which are batch.jobs[0] and so on:"));
  }
  Fail(std::move(ended.status));
}

void RunSession::Handle(Signal signal) {
  signal_ = signal.number;
  if (!open_.empty()) {
    output_->Remark("stopping: the running jobs are asked to end; once more leaves at once");
  }
  CancelAll("");
}

void RunSession::Handle(ServerGone gone) {
  for (auto& [number, batch] : open_) batch.follower->Abandon();
  Fail(absl::InternalError(absl::StrCat("the private jobrunnerd ended by itself\n", gone.said)));
}

void RunSession::SubmitWhatFits() {
  while (stopping_ == Stopping::kNo && output_->held_bytes() < kHeldBytesMax &&
         SubmitSome(static_cast<int64_t>(arguments_->Look().ready))) {
  }
}

bool RunSession::SubmitSome(int64_t ready) {
  Admission::Offer offer = admission_.Next(ready);
  if (offer.jobs == 0) return false;
  OpenBatch batch;
  auto spec = BuildBatch(offer, &batch);
  if (!spec) return false;
  // Only blank command lines.
  if (batch.jobs.empty()) return true;
  offer.jobs = static_cast<int64_t>(batch.jobs.size());
  spec->set_max_parallelism(offer.max_parallelism);
  batch.share = admission_.Submitted(offer);
  const int64_t number = batches_++;
  open_.emplace(number, std::move(batch));
  Follow(number, std::move(*spec));
  return true;
}

std::optional<v1::BatchSpec> RunSession::BuildBatch(const Admission::Offer& offer,
                                                    OpenBatch* batch) {
  v1::BatchSpec spec = options_.batch;
  for (std::string& argument : arguments_->Take(static_cast<size_t>(offer.jobs), kRequestBytesMax,
                                                builder_->bytes_each())) {
    auto built = builder_->Build(argument, jobs_ + 1);
    if (!built.ok()) {
      Fail(built.status());
      return std::nullopt;
    }
    if (!built->has_value()) continue;
    *spec.add_jobs() = std::move((*built)->job);
    batch->jobs.push_back({++jobs_, std::move(argument), std::move((*built)->command)});
  }
  return spec;
}

void RunSession::Follow(int64_t number, v1::BatchSpec spec) {
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = std::move(spec);
  BatchFollower::Listener listener;
  listener.on_events = [this, number](v1::StreamResultsResponse response) {
    inbox_.Put(Events{number, std::move(response)});
  };
  listener.on_end = [this, number](absl::Status status) {
    inbox_.Put(BatchEnded{number, std::move(status)});
  };
  open_.at(number).follower = std::make_unique<BatchFollower>(
      client_, &canceller_, std::move(request), options_.reading, std::move(listener));
}

void RunSession::Take(OpenBatch* batch, v1::Event event) {
  if (event.has_batch_finished()) return;
  const auto index = static_cast<size_t>(event.job_index());
  if (index >= batch->jobs.size()) {
    return Fail(absl::DataLossError(absl::StrCat("the server speaks of job ", index,
                                                 " of a batch that has ", batch->jobs.size())));
  }
  const RunJob& job = batch->jobs[index];
  if (!event.has_result()) return output_->Happened(job, std::move(event));
  admission_.JobEnded(&batch->share);
  Count(event.result());
  output_->Ended(job, std::move(event));
  if (!halted_ && options_.halt.Reached(tally_)) Halt(job);
}

void RunSession::Count(const v1::JobResult& result) {
  if (result.state() == v1::JOB_STATE_SUCCEEDED) {
    ++tally_.succeeded;
  } else if (Failed(result)) {
    if (tally_.failed++ == 0) first_failure_ = ExitStatusOf(result);
  } else {
    ++tally_.cancelled;
  }
}

void RunSession::Halt(const RunJob& job) {
  halted_ = true;
  if (options_.halt.on_first_failure()) {
    output_->Remark(absl::StrCat("this job failed: ", SafeText(job.command)));
  }
  if (options_.halt.when() == HaltPolicy::When::kNow) return CancelAll("--halt now");
  stopping_ = std::max(stopping_, Stopping::kSoon);
  const int64_t running = jobs_ - tally_.done();
  if (running > 0) {
    output_->Remark(absl::StrCat("starting no more jobs, waiting for ", running, " to end"));
  }
}

void RunSession::CancelAll(const std::string& reason) {
  stopping_ = Stopping::kNow;
  canceller_.CancelAll(reason);
  for (auto& [number, batch] : open_) batch.follower->StopSubmitting();
}

void RunSession::Fail(absl::Status status) {
  if (error_.ok()) error_ = std::move(status);
  CancelAll("the run failed");
}

void RunSession::FlushWhenIdle() {
  if (inbox_.Empty()) Flush();
}

void RunSession::Flush() {
  if (reader_gone_) return;
  const absl::Status status = output_->Flush();
  if (status.ok()) return;
  reader_gone_ = absl::IsAborted(status);
  if (reader_gone_) return CancelAll("the reader of the output has gone");
  Fail(status);
}

bool RunSession::Finished() const {
  if (!open_.empty()) return false;
  if (stopping_ != Stopping::kNo) return true;
  const ArgumentSource::State state = arguments_->Look();
  return state.ended && state.ready == 0;
}

RunProgress RunSession::Progress() const {
  const ArgumentSource::State state = arguments_->Look();
  return {tally_, jobs_ + static_cast<int64_t>(state.ready), state.ended, absl::Now() - start_};
}

absl::StatusOr<int> RunSession::Outcome() const {
  if (signal_ != 0) return kSignalled + signal_;
  if (!error_.ok()) return error_;
  if (reader_gone_) return kSignalled + SIGPIPE;
  if (const absl::Status status = arguments_->Look().error; !status.ok()) return status;
  if (halted_ && options_.halt.on_first_failure()) return first_failure_;
  if (halted_ && options_.halt.on_success()) return kSuccess;
  // Without a halt, what was cancelled was lost to the run like a failure.
  const int64_t failed = tally_.failed + (halted_ ? 0 : tally_.cancelled);
  if (failed > 0) return static_cast<int>(std::min<int64_t>(failed, kMoreJobsFailed));
  return output_->was_cut() ? kOutputCut : kSuccess;
}

}  // namespace jobrunner::client
