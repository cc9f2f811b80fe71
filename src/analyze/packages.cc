#include "analyze/packages.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace mica::analyze {
namespace {

constexpr std::string_view kDpkg = "var/lib/dpkg/status", kDpkgFolder = "var/lib/dpkg/status.d/";
constexpr std::string_view kApk[] = {"lib/apk/db/installed", "usr/lib/apk/db/installed"};
constexpr std::string_view kRpm[] = {"var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "var/lib/rpm/Packages.db",
                                     "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages.db"};
constexpr std::size_t kMaxWord = 1024;   // a longer name or version is none

/// Calls `line` for each line, `end` at each empty one and at the end of the text.
template <class Line, class End>
void each_paragraph(std::string_view text, const Line& line, const End& end) {
  while (!text.empty()) {
    const auto stop = text.find('\n');
    const std::string_view one = trim_right(text.substr(0, stop), "\r");
    text = stop == text.npos ? std::string_view() : text.substr(stop + 1);
    if (one.empty()) end();
    else line(one);
  }
  end();
}

void add(std::vector<Package>& list, Package package) {
  if (package.name.empty() || package.name.size() > kMaxWord || package.version.size() > kMaxWord || list.size() >= kMaxPackages) return;
  list.push_back(std::move(package));
}

/// "requests-2.31.0.dist-info" beneath site-packages or dist-packages.
std::optional<Package> pip_package(std::string_view path) {
  const auto at = path.rfind("-packages/");
  if (at == path.npos) return std::nullopt;
  const std::string_view below = path.substr(at + 10);
  const auto slash = below.find('/');
  if (slash == below.npos) return std::nullopt;
  std::string_view folder = below.substr(0, slash);
  const std::string_view file = below.substr(slash + 1);
  if (folder.ends_with(".dist-info") && file == "METADATA") folder.remove_suffix(10);
  else if (folder.ends_with(".egg-info") && file == "PKG-INFO") folder.remove_suffix(9);
  else return std::nullopt;
  const auto parts = split(folder, '-');
  if (parts.size() < 2) return std::nullopt;
  return Package{"pip", std::string(parts[0]), std::string(parts[1])};
}

/// "node_modules/express/package.json", "node_modules/@types/node/package.json".
std::optional<Package> npm_package(std::string_view path) {
  constexpr std::string_view kFolder = "node_modules/", kFile = "/package.json";
  if (!path.ends_with(kFile)) return std::nullopt;
  const auto at = path.rfind(kFolder);
  if (at == path.npos || (at > 0 && path[at - 1] != '/')) return std::nullopt;
  std::string_view name = path.substr(at + kFolder.size());
  if (name.size() <= kFile.size()) return std::nullopt;
  name.remove_suffix(kFile.size());
  const auto slashes = std::ranges::count(name, '/');
  if (slashes != (name.starts_with('@') ? 1 : 0)) return std::nullopt;
  return Package{"npm", std::string(name), ""};
}

}  // namespace

bool is_package_database(std::string_view path) {
  if (path == kDpkg || path == kApk[0] || path == kApk[1]) return true;
  return path.starts_with(kDpkgFolder) && !path.ends_with(".md5sums");
}

std::vector<Package> parse_dpkg_status(std::string_view text) {
  std::vector<Package> list;
  Package now{.manager = "dpkg"};
  bool installed = true;
  each_paragraph(
      text,
      [&](std::string_view line) {
        const auto field = split_once(line, ':');
        if (!field || line.starts_with(' ')) return;
        const std::string_view value = trim(field->second);
        if (field->first == "Package") now.name = value;
        else if (field->first == "Version") now.version = value;
        else if (field->first == "Status") installed = value.ends_with(" installed");
      },
      [&] {
        if (installed) add(list, std::move(now));
        now = {.manager = "dpkg"};
        installed = true;
      });
  return list;
}

std::vector<Package> parse_apk_installed(std::string_view text) {
  std::vector<Package> list;
  Package now{.manager = "apk"};
  each_paragraph(
      text,
      [&](std::string_view line) {
        if (line.starts_with("P:")) now.name = line.substr(2);
        else if (line.starts_with("V:")) now.version = line.substr(2);
      },
      [&] {
        add(list, std::move(now));
        now = {.manager = "apk"};
      });
  return list;
}

Packages find_packages(const Image& image, const Stack& stack) {
  Packages out;
  const auto take = [&](std::vector<Package> found) {
    for (auto& one : found) add(out.list, std::move(one));
  };
  for (const auto& [path, node] : stack.nodes()) {
    if (node.entry->kind != Kind::file) continue;
    if (std::ranges::find(kRpm, path) != std::end(kRpm)) out.has_rpm = true;
    if (auto package = pip_package(path)) add(out.list, std::move(*package));
    if (auto package = npm_package(path)) add(out.list, std::move(*package));
    if (!is_package_database(path)) continue;
    const auto& contents = image.layers[node.layer].contents;
    const auto found = contents.find(std::string(path));
    if (found == contents.end()) continue;
    take(path.ends_with("/installed") ? parse_apk_installed(found->second) : parse_dpkg_status(found->second));
  }
  std::ranges::sort(out.list);
  out.list.erase(std::unique(out.list.begin(), out.list.end()), out.list.end());
  return out;
}

}  // namespace mica::analyze
