// Loaded before the C library (LD_PRELOAD): lets one fsync or fdatasync of a program fail.
//
// Once the file $FAIL_SYNC_AT is there, which has a number N, the N-th call from then on answers
// EIO. Each call from then on adds a line to $FAIL_SYNC_LOG: "ok PATH" or "failed PATH".

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace {

using Sync = int (*)(int);

std::atomic<int> calls{0};

// The number in the file; 0 while it is not there.
int FailAt() {
  const char* const path = getenv("FAIL_SYNC_AT");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[16] = {};
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  return size > 0 ? atoi(text) : 0;
}

void Log(const char* what, int synced) {
  char link[64];
  char path[4096] = {};
  snprintf(link, sizeof link, "/proc/self/fd/%d", synced);
  if (readlink(link, path, sizeof path - 1) < 0) path[0] = '\0';
  const int fd = open(getenv("FAIL_SYNC_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  dprintf(fd, "%s %s\n", what, path);
  close(fd);
}

int Call(const char* name, int fd) {
  const int fail_at = FailAt();
  const bool fails = fail_at > 0 && ++calls == fail_at;
  if (fail_at > 0) Log(fails ? "failed" : "ok", fd);
  if (fails) {
    errno = EIO;
    return -1;
  }
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

extern "C" int fsync(int fd) { return Call("fsync", fd); }
extern "C" int fdatasync(int fd) { return Call("fdatasync", fd); }
