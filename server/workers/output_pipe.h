#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "workers/output_capture.h"
#include "workers/unique_fd.h"

namespace jobrunner::workers {

// One of a command's two outputs: what comes out of its pipe is kept for the result or gathered to
// be shown, both up to a cap; what is beyond is read all the same, so that the command never
// blocks.
class OutputPipe {
 public:
  OutputPipe(int64_t bytes_max, bool is_streamed);

  // Makes the pipe and returns the command's end. Not open, with errno set, when the machine has no
  // descriptors left.
  UniqueFd Open();
  bool is_open() const { return own_end_.is_open(); }
  int fd() const { return own_end_.get(); }

  // Reads what is there, up to about `bytes_max`; does not block. Closes when there will be no
  // more.
  void Read(int64_t bytes_max);

  // Reads everything that is there and closes, also if a process beyond our reach holds the other
  // end.
  void Finish();

  // What was gathered since the last call. *truncated is set the first time that something was left
  // out, and not touched otherwise.
  std::string TakeGathered(bool* truncated);
  size_t gathered_bytes() const { return gathered_.size(); }
  bool has_news() const { return !gathered_.empty() || truncation_ == Truncation::kNew; }

  // Of all that came.
  int64_t bytes() const { return bytes_; }
  int64_t omitted() const;
  // Empty if it was streamed. May be called once.
  std::string TakeKept() { return kept_.Take(); }

 private:
  enum class Truncation { kNone, kNew, kTold };

  void Take(std::string_view data);
  void Gather(std::string_view data);

  const int64_t bytes_max_;
  const bool is_streamed_;
  UniqueFd own_end_;
  int64_t bytes_ = 0;
  OutputCapture kept_;
  std::string gathered_;
  int64_t streamed_bytes_ = 0;
  Truncation truncation_ = Truncation::kNone;
};

}  // namespace jobrunner::workers
