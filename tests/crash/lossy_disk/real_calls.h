// The C library's functions that interpose.cc stands before.

#pragma once

#include <sys/socket.h>
#include <sys/types.h>

namespace jobrunner::crash {

struct RealCalls {
  int (*open)(const char*, int, ...);
  ssize_t (*write)(int, const void*, size_t);
  ssize_t (*pwrite)(int, const void*, size_t, off_t);
  int (*ftruncate)(int, off_t);
  int (*fsync)(int);
  int (*fdatasync)(int);
  int (*rename)(const char*, const char*);
  int (*unlink)(const char*);
  int (*link)(const char*, const char*);
  ssize_t (*sendmsg)(int, const msghdr*, int);
};

const RealCalls& Real();

// mmap(2). It is called before the others can be found: to find them takes memory.
void* RealMmap(void* address, size_t size, int protection, int flags, int fd, off_t offset);

}  // namespace jobrunner::crash
