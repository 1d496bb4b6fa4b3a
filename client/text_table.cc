#include "client/text_table.h"

#include <algorithm>
#include <cstddef>

namespace jobrunner::client {
namespace {

size_t Width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

std::vector<size_t> Widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  return widths;
}

}  // namespace

std::string TextTable(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<size_t> widths = Widths(rows);
  std::string table;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      table += row[i];
      if (i + 1 < row.size()) table += std::string(widths[i] - Width(row[i]) + 2, ' ');
    }
    table += '\n';
  }
  return table;
}

}  // namespace jobrunner::client
