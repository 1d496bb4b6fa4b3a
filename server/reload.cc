#include "server/reload.h"

#include "absl/strings/str_split.h"
#include "google/protobuf/util/message_differencer.h"

namespace jobrunner::server {

std::vector<std::string> TakeOver(const config::v1::Config& read, config::v1::Config* current) {
  if (read.workers().has_min()) current->mutable_workers()->set_min(read.workers().min());
  if (read.workers().has_max()) current->mutable_workers()->set_max(read.workers().max());
  *current->mutable_queues() = read.queues();
  current->mutable_log()->set_level(read.log().level());

  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  differencer.Compare(*current, read);
  return absl::StrSplit(differences, '\n', absl::SkipEmpty());
}

}  // namespace jobrunner::server
