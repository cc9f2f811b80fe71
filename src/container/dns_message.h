/// The part of DNS messages (RFC 1035, 4) that a container's name server answers by itself: one question, addresses or one name in return.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/ip.h"

namespace mica::container {

inline constexpr std::uint16_t kTypeA = 1, kTypePtr = 12, kTypeAaaa = 28;
inline constexpr int kNoError = 0, kServerFailure = 2, kNoSuchName = 3, kRefused = 5;

struct DnsQuestion {
  std::uint16_t id = 0;
  std::string name;                                      ///< lower case, without the dot at the end
  std::uint16_t type = 0;
  std::size_t end = 0;                                   ///< where the question ends in the message
  std::size_t room = 512;                                ///< what the asker takes in one datagram
};

/// Nothing when it is not a query with exactly one question of class IN.
std::optional<DnsQuestion> parse_question(std::string_view message);
/// An answer to `query`, which parse_question() took apart. More than fits into `room` bytes (0: no limit) is left out and marked as cut.
std::string dns_answer(std::string_view query, const DnsQuestion& question, int code, const std::vector<runtime::IpAddress>& addresses, std::size_t room);
std::string dns_pointer(std::string_view query, const DnsQuestion& question, const std::string& name);
/// The address that "2.0.18.172.in-addr.arpa" asks for.
std::optional<runtime::IpAddress> reverse_address(std::string_view name);

}  // namespace mica::container
