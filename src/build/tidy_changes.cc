#include "build/tidy_changes.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>

#include "base/format.h"
#include "base/text.h"

namespace mica::build {
namespace {

using snapshot::Type;

struct Verdicts {
  std::vector<bool> drop, unmark;
  bool any = false;
};

/// From the end: what lies in a folder is judged before the folder, whose path is shorter.
Verdicts judge(const snapshot::Listing& listing, const snapshot::TreeView& lower) {
  Verdicts verdicts{.drop = std::vector<bool>(listing.size()), .unmark = std::vector<bool>(listing.size())};
  std::set<std::string_view> kept_folders, linked;
  for (std::size_t i = 0; i < listing.size(); ++i)
    if (const auto entry = listing[i]; !entry.hard_link.empty()) linked.insert(entry.hard_link);
  for (std::size_t i = listing.size(); i-- > 0;) {
    const auto entry = listing[i];
    const auto below = lower.find(entry.path);
    bool drop = false;
    if (entry.type == Type::whiteout) {
      drop = !below;
    } else if (entry.type == Type::directory) {
      if (entry.opaque && (!below || below->entry.type != Type::directory)) verdicts.unmark[i] = verdicts.any = true;
      drop = !kept_folders.contains(entry.path) && !entry.opaque && below && below->entry.mtime_ns == entry.mtime_ns && entry.same_identity(below->entry);
    } else {
      const bool is_linked = !entry.hard_link.empty() || linked.contains(entry.path);
      drop = !is_linked && below && below->entry.mtime_ns == entry.mtime_ns && entry.same_identity(below->entry);
    }
    if (drop) {
      verdicts.drop[i] = verdicts.any = true;
      continue;
    }
    if (const auto slash = entry.path.rfind('/'); slash != entry.path.npos) kept_folders.insert(listing.path(i).substr(0, slash));
  }
  return verdicts;
}

}  // namespace

Result<snapshot::Listing> tidy_changes(const snapshot::StagedLayer& staged, const snapshot::Listing& listing, const snapshot::TreeView& lower) {
  const Verdicts verdicts = judge(listing, lower);
  if (!verdicts.any) return listing;
  const auto root = TRY(sys::open(staged.fs(), O_RDONLY | O_DIRECTORY));
  std::vector<snapshot::Entry> kept;
  std::vector<std::pair<std::string, std::int64_t>> folders;   // whose time the removals change
  for (std::size_t i = listing.size(); i-- > 0;) {
    auto entry = snapshot::Entry::of(listing[i]);
    const std::string name = base_name(entry.path);
    if (verdicts.drop[i] || verdicts.unmark[i]) {
      const auto parent = TRY(sys::open_strict(root, entry.path.substr(0, entry.path.size() - name.size()), O_RDONLY | O_DIRECTORY));
      if (verdicts.drop[i] && ::unlinkat(parent.get(), name.c_str(), entry.type == Type::directory ? AT_REMOVEDIR : 0) != 0)
        return fail_errno(format("tidying {}", entry.path));
      if (verdicts.unmark[i]) {
        const auto folder = TRY(sys::open_strict(parent, name, O_RDONLY | O_DIRECTORY));
        for (const char* mark : {"trusted.overlay.opaque", "user.overlay.opaque"}) (void)::fremovexattr(folder.get(), mark);
        entry.opaque = false;
      }
    }
    if (verdicts.drop[i]) continue;
    if (entry.type == Type::directory) folders.emplace_back(entry.path, entry.mtime_ns);
    kept.push_back(std::move(entry));
  }
  for (const auto& [path, mtime_ns] : folders) TRY(sys::set_times_at(root, path, mtime_ns));
  return snapshot::Listing::build(std::move(kept));
}

}  // namespace mica::build
