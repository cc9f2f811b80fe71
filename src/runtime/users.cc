#include "runtime/users.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::runtime {

namespace {

constexpr std::int64_t kMaxId = 2147483647;

struct PasswdEntry {
  std::string_view name, home;
  std::int64_t uid = 0, gid = 0;
};
struct GroupEntry {
  std::string_view name, members;
  std::int64_t gid = 0;
};

/// Calls `use` with each well-formed line until it returns true.
template <class Use>
void each_passwd(std::string_view text, Use use) {
  for (std::string_view line : split(text, '\n')) {
    auto parts = split(trim(line), ':');
    if (parts.size() < 4 || parts[0].starts_with('#')) continue;
    auto uid = parse_int(parts[2]);
    auto gid = parse_int(parts[3]);
    if (!uid || !gid) continue;
    if (use(PasswdEntry{parts[0], parts.size() > 5 ? parts[5] : std::string_view{}, *uid, *gid})) return;
  }
}

template <class Use>
void each_group(std::string_view text, Use use) {
  for (std::string_view line : split(text, '\n')) {
    auto parts = split(trim(line), ':');
    if (parts.size() < 3 || parts[0].starts_with('#')) continue;
    auto gid = parse_int(parts[2]);
    if (!gid) continue;
    if (use(GroupEntry{parts[0], parts.size() > 3 ? parts[3] : std::string_view{}, *gid})) return;
  }
}

Result<> check_range(std::int64_t id) {
  if (id < 0 || id > kMaxId) return failf(Errc::invalid_argument, "uids and gids must be in range 0-{}", kMaxId);
  return {};
}

void add_memberships(ResolvedUser& out, std::string_view group) {
  each_group(group, [&](const GroupEntry& entry) {
    auto members = split(entry.members, ',');
    auto gid = static_cast<std::uint32_t>(entry.gid);
    bool listed = std::any_of(members.begin(), members.end(), [&](std::string_view member) { return trim(member) == out.name; });
    if (listed && std::find(out.additional_gids.begin(), out.additional_gids.end(), gid) == out.additional_gids.end())
      out.additional_gids.push_back(gid);
    return false;
  });
}

Result<std::uint32_t> find_group(std::string_view name, std::string_view group) {
  auto number = parse_int(name);
  std::optional<std::int64_t> found;
  each_group(group, [&](const GroupEntry& entry) {
    if (entry.name == name || (number && entry.gid == *number)) found = entry.gid;
    return found.has_value();
  });
  if (!found) found = number;
  if (!found) return failf(Errc::not_found, "unable to find group {}: no matching entries in group file", name);
  TRY(check_range(*found));
  return static_cast<std::uint32_t>(*found);
}

}  // namespace

Result<ResolvedUser> resolve_user(std::string_view user, std::string_view passwd, std::string_view group) {
  auto parts = split_once(user, ':').value_or(std::pair<std::string_view, std::string_view>{user, ""});
  auto number = parts.first.empty() ? std::optional<std::int64_t>(0) : parse_int(parts.first);
  ResolvedUser out;
  bool found = false;
  each_passwd(passwd, [&](const PasswdEntry& entry) {
    if (entry.name != parts.first && !(number && entry.uid == *number)) return false;
    out.uid = static_cast<std::uint32_t>(entry.uid);
    out.gid = static_cast<std::uint32_t>(entry.gid);
    out.name = entry.name;
    if (!entry.home.empty()) out.home = entry.home;
    return found = true;
  });
  if (!found) {
    if (!number) return failf(Errc::not_found, "unable to find user {}: no matching entries in passwd file", parts.first);
    TRY(check_range(*number));
    out.uid = static_cast<std::uint32_t>(*number);
  }
  if (!parts.second.empty()) {
    out.gid = TRY(find_group(parts.second, group));
  } else if (!out.name.empty()) {
    add_memberships(out, group);
  }
  return out;
}

std::pair<std::uint32_t, std::uint32_t> resolve_owner(std::string_view owner, std::string_view passwd, std::string_view group) {
  auto parts = split_once(owner, ':').value_or(std::pair<std::string_view, std::string_view>{owner, ""});
  std::int64_t uid = 0, gid = 0;
  if (auto number = parse_int(parts.first)) {
    uid = gid = *number;
  } else {
    each_passwd(passwd, [&](const PasswdEntry& entry) {
      if (entry.name != parts.first) return false;
      uid = entry.uid;
      gid = entry.gid;
      return true;
    });
  }
  if (!parts.second.empty()) {
    gid = 0;
    if (auto number = parse_int(parts.second)) gid = *number;
    else
      each_group(group, [&](const GroupEntry& entry) {
        if (entry.name == parts.second) gid = entry.gid;
        return entry.name == parts.second;
      });
  }
  return {static_cast<std::uint32_t>(uid), static_cast<std::uint32_t>(gid)};
}

Result<std::vector<std::uint32_t>> resolve_groups(const std::vector<std::string>& names, std::string_view group) {
  std::vector<std::uint32_t> out;
  for (const std::string& name : names) {
    auto gid = TRY(find_group(name, group));
    out.push_back(gid);
  }
  return out;
}

}  // namespace mica::runtime
