// Submits batches, follows, waits for and cancels them: cpp_client ADDRESS

#include <iostream>
#include <string>

#include "client/library/client.h"

namespace v1 = jobrunner::v1;

namespace {

v1::Job Call(const std::string& handler, const std::string& payload) {
  v1::Job job;
  job.mutable_handler()->set_name(handler);
  job.mutable_handler()->set_payload(payload);
  return job;
}

// Five, one after the other.
v1::SubmitBatchRequest Naps() {
  v1::SubmitBatchRequest request;
  request.mutable_batch()->set_name("naps");
  request.mutable_batch()->set_max_parallelism(1);
  for (int i = 0; i < 5; ++i) {
    v1::Job& job = *request.mutable_batch()->add_jobs();
    job = Call("sleep", "100");
    job.set_key("nap " + std::to_string(i));
  }
  return request;
}

v1::SubmitBatchRequest BatchOf(const v1::Job& job) {
  v1::SubmitBatchRequest request;
  *request.mutable_batch()->add_jobs() = job;
  return request;
}

void Show(const v1::Event& event) {
  if (event.has_result()) {
    std::cout << event.sequence() << " " << event.job_key() << " "
              << v1::JobState_Name(event.result().state()) << std::endl;
  } else if (event.has_batch_finished()) {
    std::cout << event.sequence() << " " << v1::BatchState_Name(event.batch_finished().state())
              << std::endl;
  }
}

// Each event once, whatever becomes of the connection.
absl::Status Follow(jobrunner::BatchReader& reader) {
  for (;;) {
    const auto next = reader.Next();
    if (!next.ok()) return next.status();
    if (!next->has_value()) return absl::OkStatus();
    for (const v1::Event& event : (*next)->events()) Show(event);
  }
}

absl::Status Run(jobrunner::Client& client) {
  const auto naps = client.Submit(Naps());
  if (!naps.ok()) return naps.status();
  if (absl::Status status = Follow(*client.Results(naps->id())); !status.ok()) return status;

  const auto echo = client.Submit(BatchOf(Call("echo", "hello")));
  if (!echo.ok()) return echo.status();
  const auto echoed = client.Results(echo->id())->Next();
  if (!echoed.ok()) return echoed.status();
  std::cout << (*echoed)->events(0).result().output() << std::endl;

  const auto sleeper = client.Submit(BatchOf(Call("sleep", "600000")));
  if (!sleeper.ok()) return sleeper.status();
  v1::CancelRequest cancel;
  cancel.set_batch_id(sleeper->id());
  cancel.set_reason("enough seen");
  if (absl::Status status = client.Cancel(cancel).status(); !status.ok()) return status;
  const auto end = client.Wait(sleeper->id(), {.timeout = absl::Minutes(1)});
  if (!end.ok()) return end.status();
  std::cout << end->failed.at(0).result().error().message() << std::endl;
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  jobrunner::Client client(argc > 1 ? argv[1] : "127.0.0.1:7420");
  const absl::Status status = Run(client);
  if (!status.ok()) std::cerr << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
