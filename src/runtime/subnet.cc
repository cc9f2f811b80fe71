#include "runtime/subnet.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <vector>

#include "base/format.h"
#include "base/text.h"

namespace mica::runtime {

namespace {

constexpr int kBits = 24;
constexpr int kCandidates = 16;      // of each range
// Away from what others choose: docker takes 172.17 to 172.31 from below, podman 10.88 and 10.89 from below.
constexpr std::uint32_t kRanges[] = {0x0a59f000, 0xac1ff000, 0xc0a8e000};   // 10.89.240.0, 172.31.240.0, 192.168.224.0

std::uint32_t mask(int bits) { return bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits); }

std::string dotted(std::uint32_t address) {
  return format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

struct Route {
  std::string_view interface;
  Subnet to;
  std::uint32_t gateway;
};

/// /proc/net/route: interface, destination, gateway, flags, ref, use, metric, mask, ...; addresses are in hex, in network order
/// read as a number of the machine.
std::vector<Route> parse(std::string_view text) {
  std::vector<Route> out;
  auto number = [](std::string_view hex) { return ntohl(static_cast<std::uint32_t>(std::strtoul(std::string(hex).c_str(), nullptr, 16))); };
  for (std::string_view line : split(text, '\n')) {
    auto words = split_blanks(line);
    if (words.size() < 8 || words[0] == "Iface") continue;
    int bits = std::popcount(number(words[7]));
    out.push_back({words[0], {number(words[1]) & mask(bits), bits}, number(words[2])});
  }
  return out;
}

}  // namespace

std::string Subnet::text() const { return format("{}/{}", dotted(address), bits); }
std::string Subnet::host(std::uint32_t number) const { return dotted(address + number); }
bool Subnet::overlaps(const Subnet& other) const {
  std::uint32_t common = mask(std::min(bits, other.bits));
  return (address & common) == (other.address & common);
}

std::optional<Subnet> choose_subnet(std::string_view text, std::string_view bridge) {
  const auto routes = parse(text);
  for (const Route& route : routes)
    if (route.interface == bridge && route.to.bits >= 8 && route.to.bits <= 30) return route.to;
  for (std::uint32_t range : kRanges) {
    for (std::uint32_t i = 0; i < kCandidates; ++i) {
      Subnet candidate{range + (i << (32 - kBits)), kBits};
      bool taken = std::any_of(routes.begin(), routes.end(), [&](const Route& route) { return route.to.bits > 0 && route.to.overlaps(candidate); });
      if (!taken) return candidate;
    }
  }
  return std::nullopt;
}

std::string default_gateway(std::string_view text) {
  for (const Route& route : parse(text))
    if (route.to.bits == 0 && route.gateway != 0) return dotted(route.gateway);
  return {};
}

}  // namespace mica::runtime
