/// IP addresses and prefixes of both families, as values.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::runtime {

struct IpAddress {
  unsigned __int128 value = 0;                           ///< in host order; IPv4 in the lower 32 bits
  bool v6 = false;
  static std::optional<IpAddress> parse(std::string_view text);
  std::string text() const;
  int width() const { return v6 ? 128 : 32; }
  bool is_loopback() const;
  bool is_unspecified() const { return value == 0; }
  /// In network order, 4 or 16 bytes of it.
  void bytes(unsigned char (&out)[16]) const;
  static IpAddress from_bytes(const unsigned char* bytes, bool v6);
  bool operator==(const IpAddress&) const = default;
};

struct IpPrefix {
  IpAddress address;
  int bits = 0;
  /// "172.18.0.0/16". Errors: invalid_argument "invalid CIDR block notation". The address may have bits beyond the prefix.
  static Result<IpPrefix> parse(std::string_view text);
  std::string text() const;
  IpPrefix masked() const;                               ///< without those bits
  IpAddress host(unsigned __int128 number) const { return {masked().address.value + number, address.v6}; }
  IpAddress last() const;                                ///< all host bits set
  bool contains(const IpAddress& other) const;
  bool overlaps(const IpPrefix& other) const;
  bool operator==(const IpPrefix&) const = default;
};

}  // namespace mica::runtime
