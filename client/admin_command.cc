#include "client/admin_command.h"

#include "client/console.h"
#include "client/duration_text.h"
#include "client/exit_code.h"
#include "client/server_text.h"
#include "jobrunner/v1/admin_service.pb.h"

namespace jobrunner::client {
namespace {

// Does what is asked and shows the answer.
class Administrator {
 public:
  Administrator(JobClient* client, Printer* printer) : client_(client), printer_(printer) {}

  absl::Status operator()(const ShowInfo&) {
    return Show(client_->GetServerInfo(), ServerInfoText);
  }

  absl::Status operator()(const ShowStatistics&) {
    return Show(client_->GetStatistics(), StatisticsText);
  }

  absl::Status operator()(const PauseQueue& pause) {
    return Show(client_->PauseQueue(pause.queue), QueueText);
  }

  absl::Status operator()(const ResumeQueue& resume) {
    return Show(client_->ResumeQueue(resume.queue), QueueText);
  }

  absl::Status operator()(const ResizePool& resize) {
    v1::ResizePoolRequest request;
    if (resize.workers_min) request.set_workers_min(*resize.workers_min);
    if (resize.workers_max) request.set_workers_max(*resize.workers_max);
    return Show(client_->ResizePool(request), PoolText);
  }

  absl::Status operator()(const DrainServer& drain) {
    v1::DrainRequest request;
    if (drain.grace) *request.mutable_grace_period() = ToProto(*drain.grace);
    return client_->Drain(request);
  }

 private:
  template <typename Answer, typename Text>
  absl::Status Show(const absl::StatusOr<Answer>& answer, Text text) {
    if (!answer.ok()) return answer.status();
    printer_->Answer(*answer, text(*answer));
    return printer_->Flush();
  }

  JobClient* const client_;
  Printer* const printer_;
};

}  // namespace

absl::StatusOr<int> AdminCommand(const CommonOptions& common, const AdminOptions& options) {
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  Console console(common.format);
  const absl::Status status = std::visit(Administrator(client->get(), &console.printer), options);
  if (!status.ok()) return status;
  return kSuccess;
}

}  // namespace jobrunner::client
