#include "analyze/file_owners.h"

#include "analyze/analysis.h"
#include "base/text.h"

namespace mica::analyze {
namespace {

constexpr std::string_view kDpkgInfo = "var/lib/dpkg/info/", kDpkgStatus = "var/lib/dpkg/status.d/";
constexpr std::string_view kList = ".list", kSums = ".md5sums";
constexpr std::string_view kApk[] = {"lib/apk/db/installed", "usr/lib/apk/db/installed"};

/// The package of a database's file: "var/lib/dpkg/info/libc6:amd64.list" is that of libc6.
std::string_view package_of(std::string_view path, std::string_view folder, std::string_view ending) {
  if (!path.starts_with(folder) || !path.ends_with(ending) || path.size() <= folder.size() + ending.size()) return {};
  const std::string_view name = path.substr(folder.size(), path.size() - folder.size() - ending.size());
  return name.find('/') == name.npos ? name.substr(0, name.find(':')) : std::string_view();
}

/// The component after the last `folder` of `path`; two of them when the first is a scope. Empty: there is none, or it is the file itself.
std::string_view folder_after(std::string_view path, std::string_view folder) {
  const auto at = path.rfind(folder);
  if (at == path.npos || (at > 0 && path[at - 1] != '/')) return {};
  const std::string_view rest = path.substr(at + folder.size());
  auto end = rest.find('/');
  if (end != rest.npos && rest.starts_with('@')) end = rest.find('/', end + 1);
  return end == rest.npos ? std::string_view() : rest.substr(0, end);
}

/// "requests" of "requests-2.31.0.dist-info", so that a package and its papers are one.
std::string_view without_version(std::string_view name) {
  for (const std::string_view ending : {".dist-info", ".egg-info", ".egg"})
    if (name.ends_with(ending)) return name.substr(0, name.find('-'));
  return name;
}
std::string_view gem_name(std::string_view folder) {
  const auto dash = folder.rfind('-');
  return dash == folder.npos ? folder : folder.substr(0, dash);
}

std::string by_place(std::string_view path) {
  if (const auto name = folder_after(path, "node_modules/"); !name.empty()) return "npm " + std::string(name);
  for (const std::string_view folder : {"site-packages/", "dist-packages/"})
    if (const auto name = folder_after(path, folder); !name.empty()) return "pip " + to_lower(without_version(name));
  if (path.find("/gems/") != path.npos)
    if (const auto name = folder_after(path, "gems/"); !name.empty()) return "gem " + std::string(gem_name(name));
  return {};
}

}  // namespace

bool FileOwners::wants(std::string_view path) {
  if (path == kApk[0] || path == kApk[1]) return true;
  return !package_of(path, kDpkgInfo, kList).empty() || !package_of(path, kDpkgStatus, kSums).empty();
}

FileOwners::FileOwners(const Image& image) {
  for (const LiveFile& file : live_files(image)) {
    if (!wants(file.path)) continue;
    const auto& contents = image.layers[file.layer].contents;
    const auto content = contents.find(std::string(file.path));
    if (content == contents.end()) continue;
    if (const auto package = package_of(file.path, kDpkgInfo, kList); !package.empty()) read_dpkg_list(package, content->second);
    else if (const auto listed = package_of(file.path, kDpkgStatus, kSums); !listed.empty()) read_checksums(listed, content->second);
    else read_apk(content->second);
  }
}

std::size_t FileOwners::owner(std::string_view path) {
  auto found = files_.find(std::string(path));
  // Packages that are older than the merging of /bin with /usr/bin name the file where it was.
  if (found == files_.end() && path.starts_with("usr/")) found = files_.find(std::string(path.substr(4)));
  if (found != files_.end()) return found->second;
  std::string name = by_place(path);
  return name.empty() ? 0 : number(std::move(name));
}

std::size_t FileOwners::number(std::string name) {
  const auto [at, fresh] = numbers_.try_emplace(std::move(name), names_.size());
  if (fresh) names_.push_back(at->first);
  return at->second;
}

void FileOwners::read_dpkg_list(std::string_view package, std::string_view text) {
  const std::size_t owner = number("deb " + std::string(package));
  for (const std::string_view line : split(text, '\n'))
    if (line.size() > 1 && line[0] == '/') files_.try_emplace(std::string(line.substr(1)), owner);
}

void FileOwners::read_checksums(std::string_view package, std::string_view text) {
  constexpr std::size_t kSumWidth = 34;   // 32 digits, two blanks
  const std::size_t owner = number("deb " + std::string(package));
  for (const std::string_view line : split(text, '\n'))
    if (line.size() > kSumWidth) files_.try_emplace(std::string(line.substr(kSumWidth)), owner);
}

void FileOwners::read_apk(std::string_view text) {
  std::size_t owner = 0;
  std::string_view folder;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("P:")) owner = number("apk " + std::string(line.substr(2)));
    else if (line.starts_with("F:")) folder = line.substr(2);
    else if (line.starts_with("R:")) files_.try_emplace(folder.empty() ? std::string(line.substr(2)) : std::string(folder) + "/" + std::string(line.substr(2)), owner);
  }
}

}  // namespace mica::analyze
