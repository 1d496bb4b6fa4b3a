#pragma once

#include <sys/socket.h>

namespace jobrunner::workers {

// Whether an address is one of the public internet. Those that IANA's registries of special-purpose
// addresses have for something else are not: loopback, private, link-local (where clouds have their
// metadata, 169.254.169.254), shared, unique local, multicast, reserved, of documentation and
// benchmarks; nor is an IPv6 address that stands for such an IPv4 address (mapped, NAT64), nor one
// of a tunnel (6to4, Teredo). Any thread.
bool IsPublicAddress(const sockaddr& address);

}  // namespace jobrunner::workers
