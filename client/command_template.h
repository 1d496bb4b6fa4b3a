#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace jobrunner::client {

// The command line of `run`, into which the arguments are put as GNU parallel does it:
//   {}    the argument            {.}   without its extension
//   {/}   its last path element   {//}  its directory      {/.}  last element without extension
//   {#}   the job's number, from 1
// When no word holds one of these, the argument is appended. With a shell, the words are joined by
// spaces, what is put in is quoted, and /bin/sh -c runs it. Without any words the argument is the
// command line itself: for the shell, or split into words as xargs does ('…', "…" and \ quote).
class CommandTemplate {
 public:
  CommandTemplate(std::vector<std::string> words, bool shell);

  // The argv of one job. Errors: INVALID_ARGUMENT when the argument is to be split and a quote is
  // not closed.
  absl::StatusOr<std::vector<std::string>> Fill(const std::string& argument,
                                                int64_t sequence) const;

  // The argument is the whole command line.
  bool takes_command_lines() const { return words_.empty(); }

  // The program when it is the same for all jobs and named here; else empty.
  std::string FixedProgram() const;

  // Bytes of the words.
  size_t size() const;

 private:
  std::string FillWord(const std::string& word, const std::string& argument,
                       int64_t sequence) const;

  const std::vector<std::string> words_;
  const bool shell_;
};

// argv as a shell would read it, for people; what argv of a shell job runs, as it is.
std::string CommandText(const std::vector<std::string>& argv);

// `line` split as xargs splits it. INVALID_ARGUMENT when a quote is not closed.
absl::StatusOr<std::vector<std::string>> SplitWords(const std::string& line);

}  // namespace jobrunner::client
