#include "snapshot/resolve_links.h"

#include <algorithm>
#include <vector>

#include "base/format.h"

namespace mica::snapshot {
namespace {

constexpr int kMaxLinks = 40;

/// Pushes the parts of `path` so that the first one is popped first.
void push_parts(std::vector<std::string>& parts, std::string_view path) {
  const auto at = static_cast<std::ptrdiff_t>(parts.size());
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  std::reverse(parts.begin() + at, parts.end());
}

void to_parent(std::string& path) { path.resize(path.find('/') == path.npos ? 0 : path.rfind('/')); }

}  // namespace

Result<std::string> resolve_links(std::string_view path, bool follow_last,
                                  const std::function<std::optional<std::string>(const std::string&)>& link_at) {
  std::vector<std::string> parts;  // still to come, the next one at the back
  push_parts(parts, path);
  std::string at;
  int links = 0;
  while (!parts.empty()) {
    const std::string part = std::move(parts.back());
    parts.pop_back();
    if (part == "..") {
      to_parent(at);
      continue;
    }
    if (!at.empty()) at += '/';
    at += part;
    if (parts.empty() && !follow_last) break;
    const auto target = link_at(at);
    if (!target) continue;
    if (++links > kMaxLinks) return failf(Errc::invalid_argument, "too many levels of symbolic links in {}", quoted(path));
    if (target->starts_with('/'))
      at.clear();
    else
      to_parent(at);
    push_parts(parts, *target);
  }
  return at;
}

}  // namespace mica::snapshot
