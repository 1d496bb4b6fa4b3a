#include "storage/sync_mark.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

// The functions themselves, so that nothing is linked.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/sync_directory.h"

namespace jobrunner::storage {

struct SyncMark::Slot {
  uint64_t log = 0;
  uint64_t sequence = 0;
  uint64_t check = 0;
};

namespace {

constexpr size_t kSlots = 2;
constexpr size_t kFields = 3;
constexpr size_t kFileBytes = kSlots * kFields * sizeof(uint64_t);

uint64_t CheckOf(SyncMark::Value value) {
  const std::array<uint64_t, 2> fields = {value.log, value.sequence};
  return XXH3_64bits(fields.data(), sizeof fields);
}

absl::Status SystemError(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("the store's file ", path));
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError(absl::StrCat(
      path,
      ", which says up to where the store was stable, is damaged. Check the disk and the "
      "store (jobrunner inspect --check); without that file a start cannot see whether the "
      "end of the store's log is missing"));
}

// The slots by turns hold the newest mark and the one before it.
absl::StatusOr<SyncMark::Value> NewestOf(const std::array<uint64_t, kSlots * kFields>& fields,
                                         const std::string& path) {
  SyncMark::Value newest;
  bool whole = false;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    const SyncMark::Value value{fields[slot * kFields], fields[slot * kFields + 1]};
    if (fields[slot * kFields + 2] != CheckOf(value)) continue;
    whole = true;
    if (value.sequence >= newest.sequence) newest = value;
  }
  if (!whole) return Damaged(path);
  return newest;
}

// A new file has its bytes on the disk, so that writing to its page needs no room any more.
absl::Status MakeFile(const std::string& path, int fd) {
  std::array<uint64_t, kSlots * kFields> fields{};
  for (size_t slot = 0; slot < kSlots; ++slot) fields[slot * kFields + 2] = CheckOf({});
  const bool made = pwrite(fd, fields.data(), kFileBytes, 0) == kFileBytes && fsync(fd) == 0;
  if (!made) return SystemError(path);
  // Its name too, or the machine's death would take the file away.
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

absl::StatusOr<SyncMark::Value> ReadFrom(const std::string& path, int fd) {
  std::array<uint64_t, kSlots * kFields> fields{};
  const ssize_t size = pread(fd, fields.data(), kFileBytes, 0);
  if (size < 0) return SystemError(path);
  // Its making was cut short.
  if (size == 0) return SyncMark::Value();
  if (size != kFileBytes) return Damaged(path);
  return NewestOf(fields, path);
}

}  // namespace

absl::StatusOr<SyncMark::Value> SyncMark::Read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return Value();
  if (fd < 0) return SystemError(path);
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  return ReadFrom(path, fd);
}

absl::StatusOr<std::unique_ptr<SyncMark>> SyncMark::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError(path);
  const auto closer = absl::MakeCleanup([fd] { close(fd); });
  if (lseek(fd, 0, SEEK_END) == 0) RETURN_IF_ERROR(MakeFile(path, fd));
  ASSIGN_OR_RETURN(const Value found, ReadFrom(path, fd));
  void* const page = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return SystemError(path);
  // A page that stays in memory is never read again, which could fail. Without it, it is unlikely.
  mlock(page, kFileBytes);
  std::unique_ptr<SyncMark> mark(new SyncMark(page));
  // Whichever slot was the newest, both are now.
  mark->Set(found);
  mark->Set(found);
  return mark;
}

SyncMark::~SyncMark() { munmap(page_, kFileBytes); }

void SyncMark::Set(Value value) {
  static_assert(sizeof(Slot) == kFields * sizeof(uint64_t));
  Slot& slot = static_cast<Slot*>(page_)[next_++ % kSlots];
  const auto store = [](uint64_t& field, uint64_t number) {
    std::atomic_ref(field).store(number, std::memory_order_release);
  };
  // Not whole while it is being written.
  store(slot.check, ~CheckOf(value));
  store(slot.log, value.log);
  store(slot.sequence, value.sequence);
  store(slot.check, CheckOf(value));
}

}  // namespace jobrunner::storage
