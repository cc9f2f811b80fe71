/// Subordinate ids (subuid(5)) and user namespace maps (user_namespaces(7)) as text: no system calls.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mica::sys {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const IdRange&) const = default;
};

/// The ranges that /etc/subuid or /etc/subgid (`table`) gives a user, listed by name or by number, in the file's order. Lines that
/// are not `owner:first:count` count for nothing, as for newuidmap.
std::vector<IdRange> subordinate_ranges(std::string_view table, std::string_view user_name, std::uint32_t uid);

/// Arguments for newuidmap after the process id: inside 0 is the caller, 1 and up are the ranges one after the other.
std::vector<std::string> map_arguments(std::uint32_t caller, const std::vector<IdRange>& ranges);

/// True for the content of /proc/PID/uid_map in a namespace where every id means what it means outside.
bool is_identity_map(std::string_view map);

}  // namespace mica::sys
