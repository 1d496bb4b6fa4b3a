#include "workers/spawner/orphans.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

namespace jobrunner::workers {

bool Orphans::Open() {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
  children_ = open(path, O_RDONLY | O_CLOEXEC);
  return children_ >= 0;
}

// The file is the numbers, each followed by a space. A list that changes while it is read may lack
// some: they are seen the next time, since each death leads to another look.
void Orphans::List() {
  listed_.clear();
  char buffer[4096];
  pid_t number = 0;
  off_t offset = 0;
  ssize_t count = 0;
  while ((count = pread(children_, buffer, sizeof(buffer), offset)) > 0) {
    offset += count;
    for (const char* c = buffer; c != buffer + count; ++c) {
      if (*c >= '0' && *c <= '9') {
        number = number * 10 + (*c - '0');
      } else if (number != 0) {
        listed_.push_back(number);
        number = 0;
      }
    }
  }
}

int Orphans::KillAll(int64_t now_ns) {
  List();
  const pid_t own_group = getpgrp();
  int waited_for = 0;
  for (const pid_t pid : listed_) {
    const pid_t group = getpgid(pid);
    if (group > 1 && group != own_group) kill(-group, SIGKILL);
    kill(pid, SIGKILL);
    const Seen& seen = seen_.try_emplace(pid, Seen{.first_ns = now_ns}).first->second;
    if (!seen.given_up) ++waited_for;
  }
  return waited_for;
}

int Orphans::GiveUpThoseSince(int64_t since_ns) {
  int given_up = 0;
  for (auto& [pid, seen] : seen_) {
    if (seen.given_up || seen.first_ns > since_ns) continue;
    seen.given_up = true;
    ++given_up;
  }
  return given_up;
}

}  // namespace jobrunner::workers
