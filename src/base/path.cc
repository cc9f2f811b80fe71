#include "base/text.h"

namespace mica {

std::string clean_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!absolute) {
      kept.push_back(part);
    }
  }
  std::string out = absolute ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

std::string base_name(std::string_view path) {
  if (path.empty()) return ".";
  path = trim_right(path, "/");
  if (path.empty()) return "/";
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string dir_name(std::string_view path) { return clean_path(path.substr(0, path.rfind('/') + 1)); }

std::string join_path(std::string_view base, std::string_view path) {
  if (path.starts_with('/') || base.empty()) return clean_path(path);
  std::string joined(base);
  joined += '/';
  joined += path;
  return clean_path(joined);
}

}  // namespace mica
