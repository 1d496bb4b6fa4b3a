#include "storage/zero_tail.h"

#include <array>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace jobrunner::storage {
namespace {

namespace fs = std::filesystem;

// A disk writes it whole or not at all.
constexpr uintmax_t kSectorBytes = 512;
constexpr uintmax_t kChunkBytes = 64 << 10;

bool OnlyGrows(const fs::path& file) {
  return file.extension() == ".log" || file.filename().string().starts_with("MANIFEST-");
}

// Where the bytes of the file end that are not zeros; its length if it cannot be read.
uintmax_t EndOfBytes(const fs::path& file, uintmax_t length) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, kChunkBytes> chunk;
  uintmax_t end = length;
  while (end > 0) {
    const uintmax_t begin = (end - 1) / kChunkBytes * kChunkBytes;
    const auto size = static_cast<std::streamsize>(end - begin);
    stream.seekg(static_cast<std::streamoff>(begin));
    if (!stream.read(chunk.data(), size)) return length;
    while (end > begin && chunk[end - 1 - begin] == 0) --end;
    if (end > begin) return end;
  }
  return 0;
}

absl::Status Resize(const fs::path& file, uintmax_t length) {
  std::error_code error;
  fs::resize_file(file, length, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("resizing ", file.string(), ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::vector<CutFile>> CutZeroTails(const std::string& database) {
  std::vector<CutFile> cut;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(database, error)) {
    if (!OnlyGrows(entry.path())) continue;
    const uintmax_t length = entry.file_size(error);
    if (error) break;
    const uintmax_t end = EndOfBytes(entry.path(), length);
    const uintmax_t sectors = (end + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
    if (sectors >= length) continue;
    RETURN_IF_ERROR(Resize(entry.path(), sectors));
    cut.push_back({entry.path(), length});
  }
  if (error)
    return absl::UnavailableError(absl::StrCat("reading ", database, ": ", error.message()));
  return cut;
}

absl::Status PutBackZeroTails(const std::vector<CutFile>& files) {
  for (const CutFile& file : files) RETURN_IF_ERROR(Resize(file.path, file.length));
  return absl::OkStatus();
}

}  // namespace jobrunner::storage
