#include "client/results_command.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/console.h"
#include "client/follow_batch.h"
#include "client/state_text.h"

namespace jobrunner::client {

absl::StatusOr<int> ResultsCommand(const CommonOptions& common, const ResultsOptions& options) {
  v1::StreamResultsRequest reading;
  reading.set_batch_id(options.batch_id);
  reading.set_after_sequence(options.after_sequence);
  reading.set_follow(options.follow);
  for (const std::string& text : options.kinds) {
    const auto kind = ParseEventKind(text);
    if (!kind.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--kinds ", kind.status().message()));
    }
    reading.add_kinds(*kind);
  }
  const auto client = ConnectTo(common);
  if (!client.ok()) return client.status();
  Console console(common.format);
  return FollowBatch(&(*client)->batches(), std::move(reading), &console.printer);
}

}  // namespace jobrunner::client
