#include "real_calls.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace jobrunner::crash {
namespace {

template <typename Function>
void Find(const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (*function == nullptr) abort();
}

RealCalls FindAll() {
  RealCalls calls{};
  Find("open", &calls.open);
  Find("write", &calls.write);
  Find("pwrite", &calls.pwrite);
  Find("ftruncate", &calls.ftruncate);
  Find("fsync", &calls.fsync);
  Find("fdatasync", &calls.fdatasync);
  Find("rename", &calls.rename);
  Find("unlink", &calls.unlink);
  Find("link", &calls.link);
  Find("sendmsg", &calls.sendmsg);
  return calls;
}

}  // namespace

const RealCalls& Real() {
  static const RealCalls calls = FindAll();
  return calls;
}

void* RealMmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what the system call returns is an address.
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

}  // namespace jobrunner::crash
