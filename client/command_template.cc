#include "client/command_template.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/library/safe_text.h"

namespace jobrunner::client {
namespace {

constexpr std::array<std::string_view, 6> kPlaceholders = {"{}",   "{.}",  "{/}",
                                                           "{//}", "{/.}", "{#}"};

// The placeholder that begins at text[0], if one does.
std::optional<std::string_view> PlaceholderAt(std::string_view text) {
  for (const std::string_view placeholder : kPlaceholders) {
    if (text.substr(0, placeholder.size()) == placeholder) return placeholder;
  }
  return std::nullopt;
}

bool HasPlaceholder(const std::string& word) {
  return std::any_of(kPlaceholders.begin(), kPlaceholders.end(), [&](std::string_view placeholder) {
    return word.find(placeholder) != std::string::npos;
  });
}

std::vector<std::string> WithPlaceholder(std::vector<std::string> words) {
  if (!words.empty() && std::none_of(words.begin(), words.end(), HasPlaceholder)) {
    words.emplace_back("{}");
  }
  return words;
}

std::string WithoutExtension(const std::string& path) {
  const size_t dot = path.rfind('.');
  const size_t slash = path.rfind('/');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return path;
  return path.substr(0, dot);
}

std::string LastElement(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// As dirname(1).
std::string Directory(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  path.resize(slash);
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path.empty() ? "/" : path;
}

std::string Value(std::string_view placeholder, const std::string& argument, int64_t sequence) {
  if (placeholder == "{.}") return WithoutExtension(argument);
  if (placeholder == "{/}") return LastElement(argument);
  if (placeholder == "{//}") return Directory(argument);
  if (placeholder == "{/.}") return WithoutExtension(LastElement(argument));
  if (placeholder == "{#}") return absl::StrCat(sequence);
  return argument;
}

// Reads a line word by word; `quote` is the open quote, or 0.
struct WordSplitter {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  bool escaped = false;

  void Append(char c) {
    word += c;
    in_word = true;
  }

  void EndWord() {
    if (in_word) words.push_back(word);
    word.clear();
    in_word = false;
  }

  void Take(char c) {
    if (escaped) {
      escaped = false;
      Append(c);
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        Append(c);
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == ' ' || c == '\t') {
      EndWord();
    } else {
      Append(c);
    }
  }
};

}  // namespace

CommandTemplate::CommandTemplate(std::vector<std::string> words, bool shell)
    : words_(WithPlaceholder(std::move(words))), shell_(shell) {}

absl::StatusOr<std::vector<std::string>> CommandTemplate::Fill(const std::string& argument,
                                                               int64_t sequence) const {
  if (words_.empty() && !shell_) return SplitWords(argument);
  if (words_.empty()) return std::vector<std::string>{"/bin/sh", "-c", argument};
  std::vector<std::string> argv;
  for (const std::string& word : words_) argv.push_back(FillWord(word, argument, sequence));
  if (!shell_) return argv;
  return std::vector<std::string>{"/bin/sh", "-c", absl::StrJoin(argv, " ")};
}

std::string CommandTemplate::FixedProgram() const {
  if (shell_ || words_.empty() || HasPlaceholder(words_.front())) return "";
  return words_.front();
}

size_t CommandTemplate::size() const {
  size_t bytes = 0;
  for (const std::string& word : words_) bytes += word.size() + 2;
  return bytes;
}

std::string CommandTemplate::FillWord(const std::string& word, const std::string& argument,
                                      int64_t sequence) const {
  std::string filled;
  std::string_view rest = word;
  while (!rest.empty()) {
    const auto placeholder = PlaceholderAt(rest);
    if (placeholder) {
      const std::string value = Value(*placeholder, argument, sequence);
      filled += shell_ ? ShellQuoted(value) : value;
    } else {
      filled += rest.front();
    }
    rest.remove_prefix(placeholder ? placeholder->size() : 1);
  }
  return filled;
}

std::string CommandText(const std::vector<std::string>& argv) {
  if (argv.size() == 3 && argv[0] == "/bin/sh" && argv[1] == "-c") return argv[2];
  return absl::StrJoin(argv, " ", [](std::string* out, const std::string& word) {
    absl::StrAppend(out, ShellQuoted(word));
  });
}

absl::StatusOr<std::vector<std::string>> SplitWords(const std::string& line) {
  WordSplitter splitter;
  for (const char c : line) splitter.Take(c);
  if (splitter.quote != 0 || splitter.escaped) {
    return absl::InvalidArgumentError(
        absl::StrCat("a quote is not closed in: ", SafeText(line),
                     " (--shell gives the line to /bin/sh as it is)"));
  }
  splitter.EndWord();
  return splitter.words;
}

}  // namespace jobrunner::client
