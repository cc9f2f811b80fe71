#include "build/owner.h"

#include <limits>

#include "base/format.h"
#include "base/text.h"
#include "runtime/users.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxFileBytes = 16 << 20;
constexpr const char *kPasswd = "etc/passwd", *kGroup = "etc/group";

struct Words {
  std::string_view user, group;
  bool has_group = false;
};

Words words_of(std::string_view owner) {
  const auto parts = split_once(owner, ':');
  if (!parts) return {owner, {}, false};
  return {parts->first, parts->second, true};
}

/// The id that the word itself says; nothing for a name.
std::optional<std::uint32_t> id_of(std::string_view word) {
  if (word.empty() || word == "root") return 0;
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  const auto number = parse_int(word);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

void add_file(const char* path, const snapshot::TreeView& tree, Parts& parts) {
  Part part{format("file /{} of the stage", path), "", false};
  if (const auto resolved = tree.resolve(path))
    if (const auto found = tree.find(*resolved); found && found->entry.type == snapshot::Type::file)
      part.value = hex(found->entry.digest);
  parts.push_back(std::move(part));
}

/// A missing file holds no names.
Result<std::string> read_names(const char* path, const snapshot::TreeView& tree) {
  auto text = tree.read_file(path, kMaxFileBytes);
  if (!text && text.error().code() == Errc::not_found) return std::string();
  return text;
}

}  // namespace

void add_owner_parts(std::string_view owner, const snapshot::TreeView& tree, Parts& parts) {
  if (owner.empty()) return;
  const Words words = words_of(owner);
  if (!id_of(words.user)) add_file(kPasswd, tree, parts);
  if (words.has_group && !id_of(words.group)) add_file(kGroup, tree, parts);
}

Result<FoundOwner> find_owner(std::string_view owner, const snapshot::TreeView& tree) {
  const Words words = words_of(owner);
  const auto user = id_of(words.user), group = words.has_group ? id_of(words.group) : std::nullopt;
  const bool needs_names = !user || (words.has_group && !group);
  if (needs_names && tree.empty()) {
    Error error(Errc::not_found, format("looking up {}: the stage starts from scratch and has no /etc/passwd", quoted(owner)));
    return fail(std::move(error).with_hint("use numbers, such as 1000:1000"));
  }
  FoundOwner out;
  if (user) {
    out.owner = {.uid = *user, .gid = *user};
  } else {
    const std::string passwd = TRY(read_names(kPasswd, tree));
    const auto found = runtime::resolve_user(words.user, passwd, "");
    // A number too large for an id is a name that nobody has.
    if (found && !parse_int(words.user))
      out.owner = {.uid = found->uid, .gid = found->gid};
    else
      out.unknown.push_back(format("user {}", quoted(words.user)));
  }
  if (group) {
    out.owner.gid = *group;
  } else if (words.has_group) {
    const std::string names = TRY(read_names(kGroup, tree));
    const auto found = runtime::resolve_groups({std::string(words.group)}, names);
    if (found && !parse_int(words.group))
      out.owner.gid = found->at(0);
    else
      out.unknown.push_back(format("group {}", quoted(words.group)));
  }
  return out;
}

}  // namespace mica::build
