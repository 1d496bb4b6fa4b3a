#pragma once

#include <string>
#include <vector>

namespace jobrunner::client {

// Lines of aligned columns, two spaces between them; the last column is not padded. Widths count
// characters, not bytes.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace jobrunner::client
