#include "server/socket_in_use.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace jobrunner::server {

absl::Status CheckSocketFree(const base::ListenAddress& address) {
  if (!address.is_unix()) return absl::OkStatus();
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, address.unix_path.c_str(), sizeof(to.sun_path) - 1);
  // Does not block: a backlog that is full is somebody's too.
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool answered = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ||
                        errno == EAGAIN || errno == EINPROGRESS;
  close(fd);
  if (!answered) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot listen on unix:", address.unix_path, ": a server is there already"));
}

}  // namespace jobrunner::server
