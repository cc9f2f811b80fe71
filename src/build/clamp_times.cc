#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "build/session.h"
#include "sys/fd.h"

namespace mica::build {
namespace {

std::string_view parent_of(std::string_view path) { return path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')); }

}  // namespace

Result<snapshot::Listing> clamp_times(const snapshot::StagedLayer& staged, snapshot::Listing listing, std::int64_t clamp_ns) {
  const auto is_late = [&](const snapshot::EntryView& entry) {
    return entry.type != snapshot::Type::whiteout && entry.mtime_ns > clamp_ns;
  };
  std::size_t late = 0;
  while (late < listing.size() && !is_late(listing[late])) ++late;
  if (late == listing.size()) return listing;

  const auto root = TRY(sys::open(staged.fs(), O_PATH | O_DIRECTORY));
  sys::Fd folder;
  std::string folder_path;
  std::vector<snapshot::Entry> entries;
  entries.reserve(listing.size());
  for (std::size_t i = 0; i < listing.size(); ++i) {
    entries.push_back(snapshot::Entry::of(listing[i]));
    snapshot::Entry& entry = entries.back();
    if (!is_late(listing[i])) continue;
    const std::string_view parent = parent_of(entry.path);
    if (!folder || parent != folder_path) {
      folder_path = parent;
      if (parent.empty())
        folder = TRY(root.duplicate());
      else
        folder = TRY(sys::open_strict(root, folder_path, O_PATH | O_DIRECTORY));
    }
    TRY_DOING(sys::set_times_at(folder, entry.path.substr(parent.empty() ? 0 : parent.size() + 1), clamp_ns),
              format("setting the time of {}", quoted(entry.path)));
    entry.mtime_ns = clamp_ns;
  }
  return snapshot::Listing::build(std::move(entries));
}

}  // namespace mica::build
