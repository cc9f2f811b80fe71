/// passwd and group files of an image.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::runtime {

struct ResolvedUser {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> additional_gids;
  std::string home = "/";             ///< "/" when unknown
  std::string name;                   ///< empty when unknown
};
/// `user` as USER or --user has it: "", name, uid, name:group, uid:gid, ...; file contents may be empty (missing file).
/// With ":group" no supplementary groups, otherwise those of the group file. Unknown names: not_found ("unable to find user X: no
/// matching entries in passwd file").
Result<ResolvedUser> resolve_user(std::string_view user, std::string_view passwd, std::string_view group);
/// For --chown: names that are unknown give 0 (BuildKit); "5" alone means 5:5; name alone its primary group.
std::pair<std::uint32_t, std::uint32_t> resolve_owner(std::string_view owner, std::string_view passwd, std::string_view group);
/// --group-add entries.
Result<std::vector<std::uint32_t>> resolve_groups(const std::vector<std::string>& names, std::string_view group);

}  // namespace mica::runtime
