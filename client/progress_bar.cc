#include "client/progress_bar.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/duration_text.h"
#include "client/output_stream.h"

namespace jobrunner::client {
namespace {

constexpr int kWidth = 20;
constexpr absl::Duration kRedraw = absl::Milliseconds(100);

std::string Left(const RunProgress& progress) {
  const int64_t done = progress.tally.done();
  if (!progress.input_ended || done == 0 || done == progress.known) return "";
  const absl::Duration left = progress.elapsed / done * (progress.known - done);
  return absl::StrCat(", ", DurationText(absl::Ceil(left, absl::Seconds(1))), " left");
}

}  // namespace

std::string ProgressLine(const RunProgress& progress) {
  const int64_t done = progress.tally.done();
  const double part = progress.known == 0 ? 0 : static_cast<double>(done) / progress.known;
  const int filled = static_cast<int>(part * kWidth);
  std::string line = absl::StrFormat(
      "[%s%s] %3d%% %d/%d%s", std::string(filled, '#'), std::string(kWidth - filled, '.'),
      static_cast<int>(part * 100), done, progress.known, progress.input_ended ? "" : "+");
  if (progress.tally.failed > 0) absl::StrAppend(&line, ", ", progress.tally.failed, " failed");
  return absl::StrCat(line, Left(progress));
}

absl::Time ProgressBar::Draw(const RunProgress& progress, absl::Time now) {
  if (now < next_draw_) return next_draw_;
  terminal_->Append(absl::StrCat("\r", ProgressLine(progress), "\x1b[K"));
  terminal_->Flush().IgnoreError();
  shown_ = true;
  next_draw_ = now + kRedraw;
  return absl::InfiniteFuture();
}

void ProgressBar::Clear() {
  if (!shown_) return;
  terminal_->Append("\r\x1b[K");
  terminal_->Flush().IgnoreError();
  shown_ = false;
  next_draw_ = absl::InfinitePast();
}

}  // namespace jobrunner::client
