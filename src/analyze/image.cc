#include "analyze/image.h"

#include <algorithm>
#include <unordered_map>

#include "base/format.h"

namespace mica::analyze {
namespace {

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

constexpr std::size_t kNoBody = SIZE_MAX;

/// For each entry the entry that brought its body, by what the names stood for at that moment.
std::vector<std::size_t> find_bodies(const std::vector<Entry>& entries) {
  std::vector<std::size_t> bodies(entries.size(), kNoBody);
  std::unordered_map<std::string_view, std::size_t> now;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.kind == Kind::file) {
      if (entry.hard_link.empty()) bodies[i] = i;
      else if (const auto found = now.find(entry.hard_link); found != now.end()) bodies[i] = bodies[found->second];
    }
    now[entry.path] = i;
  }
  return bodies;
}

/// Adds the directories that `entries` (sorted) lack, and drops what lies below something that is no directory.
void complete(std::vector<Entry>& entries) {
  std::unordered_map<std::string_view, bool> known{{"", true}};   // true: a directory
  for (const Entry& entry : entries) known[entry.path] = entry.kind == Kind::directory;
  std::vector<std::string> missing;
  const auto lies_in_directories = [&](const Entry& entry) {
    for (std::string_view above = parent_of(entry.path); !above.empty(); above = parent_of(above)) {
      const auto found = known.find(above);
      if (found == known.end()) missing.emplace_back(above);
      else if (!found->second) return false;
    }
    return true;
  };
  std::vector<bool> keep(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t had = missing.size();
    keep[i] = lies_in_directories(entries[i]);
    if (!keep[i]) missing.resize(had);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (keep[i]) {
      if (kept != i) entries[kept] = std::move(entries[i]);
      ++kept;
    }
  entries.resize(kept);
  if (missing.empty()) return;
  std::ranges::sort(missing);
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  for (std::string& path : missing) entries.push_back({.path = std::move(path), .kind = Kind::directory, .implied = true, .mode = 0755});
  std::ranges::sort(entries, {}, &Entry::path);
}

}  // namespace

void normalise(Layer& layer) {
  auto& entries = layer.entries;
  const auto bodies = find_bodies(entries);
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return entries[a].path < entries[b].path; });

  // Of equal paths the last one stands. The body's bytes are taken from where they were before they move to the first name that is left.
  std::vector<Entry> sorted;
  sorted.reserve(order.size());
  struct Bytes {
    std::uint64_t size;
    Sha256Bytes digest;
  };
  std::unordered_map<std::size_t, Bytes> bytes;
  for (const std::size_t body : bodies)
    if (body != kNoBody) bytes.try_emplace(body, Bytes{entries[body].size, entries[body].digest});
  std::unordered_map<std::size_t, std::string> first;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t i = order[k];
    if (k + 1 < order.size() && entries[order[k + 1]].path == entries[i].path) {
      // A directory that comes again stays as opaque as it was; a mark alone does not replace its entry.
      Entry &now = entries[i], &later = entries[order[k + 1]];
      if (now.kind == Kind::directory && later.kind == Kind::directory) {
        later.opaque = later.opaque || now.opaque;
        if (later.implied) {
          now.opaque = later.opaque;
          std::swap(now, later);
        }
      }
      continue;
    }
    Entry entry = std::move(entries[i]);
    if (entry.kind == Kind::file) {
      entry.size = 0;
      entry.digest = {};
      entry.hard_link.clear();
      if (bodies[i] != kNoBody) {
        const auto [found, is_first] = first.try_emplace(bodies[i], entry.path);
        entry.digest = bytes.at(bodies[i]).digest;
        if (is_first) entry.size = bytes.at(bodies[i]).size;
        else entry.hard_link = found->second;
      }
    }
    sorted.push_back(std::move(entry));
  }
  complete(sorted);
  entries = std::move(sorted);
  std::ranges::sort(layer.whiteouts);
  layer.whiteouts.erase(std::unique(layer.whiteouts.begin(), layer.whiteouts.end()), layer.whiteouts.end());
}

std::string pack_xattrs(std::vector<std::pair<std::string, std::string>> xattrs) {
  std::ranges::sort(xattrs);
  std::string out;
  for (const auto& [key, value] : xattrs) {
    const bool is_of_host = (key.starts_with("security.") && key != "security.capability") || key.starts_with("trusted.overlay.") || key.starts_with("user.overlay.");
    if (!is_of_host) out += format("{}={}:{};", key, value.size(), value);
  }
  return out;
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory.empty()) return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string_view name(Base::Known how) {
  switch (how) {
    case Base::Known::not_at_all: return "unknown";
    case Base::Known::option: return "option";
    case Base::Known::build: return "build";
    case Base::Known::annotation: return "annotation";
    case Base::Known::store: return "store";
    case Base::Known::history: return "history";
  }
  return "";
}

}  // namespace mica::analyze
