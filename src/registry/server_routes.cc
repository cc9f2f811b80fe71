#include "registry/server_routes.h"

#include <algorithm>

namespace mica::registry {
namespace {

constexpr std::size_t kMaxName = 255, kMaxTag = 128;

bool is_low(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Runs of letters and digits, joined by ".", "_", "__" or any number of "-".
bool is_name_part(std::string_view part) {
  if (part.empty() || !is_low(part.front()) || !is_low(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (is_low(part[i])) {
      ++i;
      continue;
    }
    const std::size_t start = i;
    while (i < part.size() && !is_low(part[i])) ++i;
    const auto joint = part.substr(start, i - start);
    if (joint != "." && joint != "_" && joint != "__" && joint.find_first_not_of('-') != joint.npos) return false;
  }
  return true;
}

/// Splits "NAME/word/last" if `path` is that.
bool ends_in(std::string_view path, std::string_view word, Route& into) {
  const auto last = path.rfind('/');
  if (last == path.npos) return false;
  const auto front = path.substr(0, last);
  if (front.size() <= word.size() + 1 || !front.ends_with(word) || front[front.size() - word.size() - 1] != '/') return false;
  into.repository = front.substr(0, front.size() - word.size() - 1);
  into.reference = path.substr(last + 1);
  return true;
}

}  // namespace

Route route_of(std::string_view path) {
  using Kind = Route::Kind;
  Route route;
  const auto as = [&](Kind kind) {
    route.kind = kind;
    return route;
  };
  if (path == "/v2" || path == "/v2/") return as(Kind::base);
  if (!path.starts_with("/v2/")) return as(Kind::none);
  path.remove_prefix(4);
  if (path == "_catalog") return as(Kind::catalog);
  if (ends_in(path, "blobs/uploads", route)) return as(route.reference.empty() ? Kind::uploads : Kind::upload);
  if (ends_in(path, "blobs", route)) return as(route.reference == "uploads" ? Kind::uploads : Kind::blob);
  if (ends_in(path, "manifests", route)) return as(Kind::document);
  if (ends_in(path, "referrers", route)) return as(Kind::referrers);
  if (ends_in(path, "tags", route) && route.reference == "list") return as(Kind::tags);
  return Route{};
}

std::string_view methods_of(Route::Kind kind) {
  switch (kind) {
    case Route::Kind::document: return "GET, HEAD, PUT, DELETE";
    case Route::Kind::blob: return "GET, HEAD, DELETE";
    case Route::Kind::uploads: return "POST";
    case Route::Kind::upload: return "GET, HEAD, PATCH, PUT, DELETE";
    default: return "GET, HEAD";
  }
}

bool is_repository_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  while (true) {
    const auto slash = text.find('/');
    if (!is_name_part(text.substr(0, slash))) return false;
    if (slash == text.npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kMaxTag || text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_low(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-'; });
}

}  // namespace mica::registry
