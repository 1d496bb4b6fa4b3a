#include "workers/http/public_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace jobrunner::workers {
namespace {

struct Block4 {
  uint32_t address;
  int bits;
};

constexpr uint32_t Address4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast.
constexpr Block4 kSpecial4[] = {
    {Address4(0, 0, 0, 0), 8},        // this network; 0.0.0.0 connects to this machine
    {Address4(10, 0, 0, 0), 8},       // private
    {Address4(100, 64, 0, 0), 10},    // shared by a provider's customers
    {Address4(127, 0, 0, 0), 8},      // loopback
    {Address4(169, 254, 0, 0), 16},   // link-local
    {Address4(172, 16, 0, 0), 12},    // private
    {Address4(192, 0, 0, 0), 24},     // protocol assignments
    {Address4(192, 0, 2, 0), 24},     // documentation
    {Address4(192, 88, 99, 0), 24},   // 6to4 relays
    {Address4(192, 168, 0, 0), 16},   // private
    {Address4(198, 18, 0, 0), 15},    // benchmarks
    {Address4(198, 51, 100, 0), 24},  // documentation
    {Address4(203, 0, 113, 0), 24},   // documentation
    {Address4(224, 0, 0, 0), 3},      // multicast, reserved, broadcast
};

bool IsPublic4(uint32_t address) {
  return std::none_of(std::begin(kSpecial4), std::end(kSpecial4), [=](const Block4& block) {
    return (address ^ block.address) >> (32 - block.bits) == 0;
  });
}

// Big-endian, as it lies in a packet.
struct Block6 {
  uint8_t address[16];
  int bits;
};

// https://www.iana.org/assignments/iana-ipv6-special-registry: what of 2000::/3 is not global.
constexpr Block6 kSpecial6[] = {
    {{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo among them
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x20, 0x02}, 16},              // 6to4
    {{0x3f, 0xff, 0x00}, 20},        // documentation
};
constexpr Block6 kGlobal6 = {{0x20}, 3};
constexpr Block6 kMapped4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Block6 kNat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};

bool IsIn(const uint8_t (&address)[16], const Block6& block) {
  const int bytes = block.bits / 8;
  const int bits = block.bits % 8;
  if (memcmp(address, block.address, static_cast<size_t>(bytes)) != 0) return false;
  return bits == 0 || (address[bytes] ^ block.address[bytes]) >> (8 - bits) == 0;
}

bool IsPublic6(const uint8_t (&address)[16]) {
  if (IsIn(address, kMapped4) || IsIn(address, kNat64)) {
    return IsPublic4(Address4(address[12], address[13], address[14], address[15]));
  }
  return IsIn(address, kGlobal6) &&
         std::none_of(std::begin(kSpecial6), std::end(kSpecial6),
                      [&](const Block6& block) { return IsIn(address, block); });
}

}  // namespace

bool IsPublicAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ip4{};
    memcpy(&ip4, &address, sizeof(ip4));
    return IsPublic4(ntohl(ip4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ip6{};
    memcpy(&ip6, &address, sizeof(ip6));
    return IsPublic6(ip6.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace jobrunner::workers
