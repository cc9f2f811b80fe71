#include "runtime/ip.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::runtime {

namespace {

unsigned __int128 mask(int width, int bits) {
  if (bits == 0) return 0;
  const unsigned __int128 all = width == 128 ? ~static_cast<unsigned __int128>(0) : static_cast<unsigned __int128>(0xffffffff);
  return width == bits ? all : all & ~((static_cast<unsigned __int128>(1) << (width - bits)) - 1);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  unsigned char bytes[16];
  const std::string copy(text);
  if (::inet_pton(AF_INET, copy.c_str(), bytes) == 1) return from_bytes(bytes, false);
  if (::inet_pton(AF_INET6, copy.c_str(), bytes) == 1) return from_bytes(bytes, true);
  return std::nullopt;
}

std::string IpAddress::text() const {
  unsigned char raw[16];
  char out[INET6_ADDRSTRLEN];
  bytes(raw);
  return ::inet_ntop(v6 ? AF_INET6 : AF_INET, raw, out, sizeof out);
}

bool IpAddress::is_loopback() const { return v6 ? value == 1 : value >> 24 == 127; }

void IpAddress::bytes(unsigned char (&out)[16]) const {
  const int count = width() / 8;
  for (int i = 0; i < count; ++i) out[i] = static_cast<unsigned char>(value >> (8 * (count - 1 - i)));
}

IpAddress IpAddress::from_bytes(const unsigned char* bytes, bool v6) {
  IpAddress out{.v6 = v6};
  for (int i = 0; i < (v6 ? 16 : 4); ++i) out.value = out.value << 8 | bytes[i];
  return out;
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto parts = split_once(text, '/');
  const auto address = parts ? IpAddress::parse(parts->first) : std::nullopt;
  const auto bits = parts ? parse_int(parts->second) : std::nullopt;
  if (!address || !bits || *bits < 0 || *bits > address->width()) return fail(Errc::invalid_argument, "invalid CIDR block notation");
  return IpPrefix{*address, static_cast<int>(*bits)};
}

std::string IpPrefix::text() const { return format("{}/{}", address.text(), bits); }
IpPrefix IpPrefix::masked() const { return {{address.value & mask(address.width(), bits), address.v6}, bits}; }
IpAddress IpPrefix::last() const { return {address.value | (mask(address.width(), address.width()) & ~mask(address.width(), bits)), address.v6}; }
bool IpPrefix::contains(const IpAddress& other) const {
  const auto common = mask(address.width(), bits);
  return other.v6 == address.v6 && (other.value & common) == (address.value & common);
}
bool IpPrefix::overlaps(const IpPrefix& other) const {
  const auto common = mask(address.width(), std::min(bits, other.bits));
  return other.address.v6 == address.v6 && (other.address.value & common) == (address.value & common);
}

}  // namespace mica::runtime
