#include "snapshot/link_groups.h"

namespace mica::snapshot {

std::optional<std::string> LinkGroups::earlier_name(const TreeView::Found& found) {
  if (found.entry.hard_link.empty()) return std::nullopt;
  std::string first(found.entry.hard_link);
  const auto visible = finder_.find(first);
  if (visible && visible->layer == found.layer) return first;
  const auto [promoted, is_new] = promoted_.try_emplace({found.layer, std::move(first)}, found.entry.path);
  if (is_new) return std::nullopt;
  return promoted->second;
}

}  // namespace mica::snapshot
