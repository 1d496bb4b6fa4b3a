#include "kill_point.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace jobrunner::crash {
namespace {

// Of an array that is padded with zeros.
template <size_t N>
std::string_view Text(const std::array<char, N>& text) {
  return {text.data(), strnlen(text.data(), text.size())};
}

std::string_view ThreadName(std::array<char, 16>* name) {
  prctl(PR_GET_NAME, name->data());
  return Text(*name);
}

const char* NameOf(Call call) {
  switch (call) {
    case kWritten:
      return "written";
    case kTorn:
      return "torn";
    case kSynced:
      return "synced";
    case kRenamed:
      return "renamed";
    case kUnlinked:
      return "unlinked";
    case kLinked:
      return "linked";
    case kCreated:
      return "created";
    case kSent:
      return "sent";
  }
  return "";
}

}  // namespace

KillPoint::KillPoint(Control* control) : control_(control) {
  if (control_ != nullptr) control_->file_calls = 0;
}

void KillPoint::Passed(Call call, std::string_view file, std::string_view bytes) {
  if (control_ == nullptr) return;
  ++control_->file_calls;
  if (IsSet(call) && Counts(file) && HasPattern(bytes) && CountDown()) DieAt(call, file);
}

bool KillPoint::Reached(Call call, std::string_view file, std::string_view bytes) {
  if (control_ == nullptr) return false;
  ++control_->file_calls;
  return IsSet(call) && Counts(file) && HasPattern(bytes) && CountDown();
}

void KillPoint::Sent(const iovec* pieces, size_t count) {
  if (!IsSet(kSent) || !Counts({})) return;
  const bool has = std::any_of(pieces, pieces + count, [this](const iovec& piece) {
    return HasPattern({static_cast<const char*>(piece.iov_base), piece.iov_len});
  });
  if (has && CountDown()) DieAt(kSent, "");
}

bool KillPoint::IsSet(Call call) const {
  return control_ != nullptr && control_->armed != 0 && (control_->calls & call) != 0;
}

bool KillPoint::Counts(std::string_view file) const {
  if (!file.starts_with(Text(control_->path_begin)) || !file.ends_with(Text(control_->path_end))) {
    return false;
  }
  std::array<char, 16> name{};
  return ThreadName(&name).starts_with(Text(control_->thread));
}

bool KillPoint::HasPattern(std::string_view bytes) const {
  const size_t size = control_->pattern_size;
  return bytes.find(std::string_view(control_->pattern.data(), size)) != std::string_view::npos;
}

bool KillPoint::CountDown() { return control_->countdown.fetch_sub(1) == 1; }

void KillPoint::DieAt(Call call, std::string_view file) {
  std::array<char, 256>& at = control_->fired_at;
  snprintf(at.data(), at.size(), "%s %.*s", NameOf(call), static_cast<int>(file.size()),
           file.data());
  control_->fired = 1;
  kill(getpid(), SIGKILL);
  // The signal may come to another thread first.
  for (;;) pause();
}

}  // namespace jobrunner::crash
