#include "http/location.h"

#include <algorithm>

#include "base/text.h"
#include "http/url.h"

namespace mica::http {
namespace {

constexpr std::string_view kSeparator = "://";

/// Where the path (or query, or fragment) starts.
std::size_t path_start(std::string_view url) {
  const auto scheme = url.find(kSeparator);
  if (scheme == url.npos) return 0;
  return std::min(url.find_first_of("/?#", scheme + kSeparator.size()), url.size());
}

bool has_scheme(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0) return false;
  return std::ranges::all_of(text.substr(0, colon), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; });
}

std::string scheme_of(std::string_view url) {
  const auto end = url.find(kSeparator);
  return end == url.npos ? "" : to_lower(url.substr(0, end));
}

}  // namespace

std::string resolve(std::string_view base, std::string_view location) {
  location = location.substr(0, location.find('#'));
  base = base.substr(0, base.find('#'));
  if (has_scheme(location)) return std::string(location);
  if (location.starts_with("//")) return std::string(base.substr(0, base.find(':') + 1)) + std::string(location);
  const auto path = path_start(base);
  const std::string origin(base.substr(0, path));
  if (location.starts_with('/')) return origin + std::string(location);
  const std::string_view whole = base.substr(path, base.find('?', path) - path);
  if (location.empty()) return std::string(base);
  if (location.starts_with('?')) return origin + std::string(whole) + std::string(location);
  std::string folder(whole.substr(0, whole.rfind('/') + 1));
  if (folder.empty()) folder = "/";
  while (location.starts_with("./") || location.starts_with("../")) {
    if (location.starts_with("../") && folder.size() > 1) folder.erase(folder.rfind('/', folder.size() - 2) + 1);
    location.remove_prefix(location.find('/') + 1);
  }
  return origin + folder + std::string(location);
}

std::string authority(std::string_view url) {
  const std::string scheme = scheme_of(url);
  if (scheme != "http" && scheme != "https") return {};
  std::string_view place = url.substr(scheme.size() + kSeparator.size(), path_start(url) - scheme.size() - kSeparator.size());
  if (const auto user = place.rfind('@'); user != place.npos) place.remove_prefix(user + 1);
  std::string out = to_lower(place);
  const auto colon = out.rfind(':');
  if (colon == out.npos || out.find(']', colon) != out.npos) out += scheme == "http" ? ":80" : ":443";
  return out;
}

bool same_origin(std::string_view a, std::string_view b) {
  const std::string first = authority(a);
  return !first.empty() && first == authority(b) && scheme_of(a) == scheme_of(b);
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  const std::string name = to_lower(host.substr(0, host.find(':')));
  if (name == "localhost") return true;
  const auto parts = split(name, '.');
  return parts.size() == 4 && parts[0] == "127" && std::ranges::all_of(parts, [](std::string_view part) { return parse_int(part).value_or(-1) >= 0 && parse_int(part).value_or(256) <= 255; });
}

std::string without_query(std::string_view url) { return shown(url); }

}  // namespace mica::http
