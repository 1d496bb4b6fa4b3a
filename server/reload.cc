#include "server/reload.h"

#include "absl/strings/str_split.h"
#include "google/protobuf/util/message_differencer.h"

namespace jobrunner::server {

std::vector<std::string> TakeOver(const config::v1::Config& read, config::v1::Config* current) {
  *current->mutable_workers() = read.workers();
  *current->mutable_queues() = read.queues();
  current->mutable_log()->set_level(read.log().level());

  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  differencer.Compare(*current, read);
  return absl::StrSplit(differences, '\n', absl::SkipEmpty());
}

}  // namespace jobrunner::server
