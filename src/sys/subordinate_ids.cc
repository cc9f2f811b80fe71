#include "sys/subordinate_ids.h"

#include <limits>

#include "base/text.h"

namespace mica::sys {

namespace {
constexpr std::int64_t kIds = std::numeric_limits<std::uint32_t>::max();  // the last number means "none"
}

std::vector<IdRange> subordinate_ranges(std::string_view table, std::string_view user_name, std::uint32_t uid) {
  std::vector<IdRange> ranges;
  const std::string number = std::to_string(uid);
  for (const std::string_view line : split(table, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() != 3 || fields[0].empty() || (fields[0] != user_name && fields[0] != number)) continue;
    const auto first = parse_int(fields[1]), count = parse_int(trim(fields[2]));
    if (!first || !count || *first < 0 || *count <= 0 || *first > kIds || *count > kIds - *first) continue;
    ranges.push_back({.first = static_cast<std::uint32_t>(*first), .count = static_cast<std::uint32_t>(*count)});
  }
  return ranges;
}

std::vector<std::string> map_arguments(std::uint32_t caller, const std::vector<IdRange>& ranges) {
  std::vector<std::string> arguments{"0", std::to_string(caller), "1"};
  std::uint32_t inside = 1;
  for (const IdRange& range : ranges) {
    if (range.count > kIds - inside) break;
    arguments.insert(arguments.end(), {std::to_string(inside), std::to_string(range.first), std::to_string(range.count)});
    inside += range.count;
  }
  return arguments;
}

bool is_identity_map(std::string_view map) {
  const auto fields = split_blanks(map);
  return fields.size() == 3 && fields[0] == "0" && fields[1] == "0" && parse_int(fields[2]) >= kIds;
}

}  // namespace mica::sys
