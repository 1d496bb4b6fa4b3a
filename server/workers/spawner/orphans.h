#pragma once

#include <sys/types.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace jobrunner::workers {

// What commands that have ended left behind. The kernel gives it to the spawner, the nearest
// subreaper, and there to the first thread, which starts nothing itself: so the children of that
// thread are the orphans, and whether there are any is one short read, however many commands run.
//
// The thread that uses it is the only one that reaps, so that no listed process can give its number
// away before it is signalled.
class Orphans {
 public:
  // False when the kernel does not list children in /proc (CONFIG_PROC_CHILDREN).
  bool Open();

  // Kills all there are, their process groups first, so that no fork outruns it. Returns how many
  // there are that are not given up.
  int KillAll(int64_t now_ns);

  // From here on nobody waits for those that have been there since `since_ns`. Returns how many.
  int GiveUpThoseSince(int64_t since_ns);

  // The process was reaped.
  void Forget(pid_t pid) { seen_.erase(pid); }

 private:
  struct Seen {
    int64_t first_ns;
    bool given_up = false;
  };

  void List();

  int children_ = -1;
  std::vector<pid_t> listed_;
  std::unordered_map<pid_t, Seen> seen_;
};

}  // namespace jobrunner::workers
