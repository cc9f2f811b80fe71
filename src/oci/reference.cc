// The grammar is that of github.com/distribution/reference (regexp.go, normalize.go), read by hand: one pass, no backtracking.
#include "oci/reference.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::oci {
namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kLegacyRegistry = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMaxName = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_alnum(char c) { return is_digit(c) || is_lower(c); }
bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }
bool has_upper(std::string_view text) { return std::ranges::any_of(text, is_upper); }

/// [a-z0-9]+ joined by '.', '_', '__' or a run of '-'.
bool is_path_component(std::string_view text) {
  std::size_t i = 0;
  while (true) {
    const std::size_t start = i;
    while (i < text.size() && is_lower_alnum(text[i])) ++i;
    if (i == start) return false;
    if (i == text.size()) return true;
    if (text[i] == '.') {
      ++i;
    } else if (text[i] == '_') {
      i += text.substr(i).starts_with("__") ? 2 : 1;
    } else if (text[i] == '-') {
      while (i < text.size() && text[i] == '-') ++i;
    } else {
      return false;
    }
  }
}

bool is_path(std::string_view text) { return std::ranges::all_of(split(text, '/'), is_path_component); }

bool is_registry(std::string_view text) {
  std::string_view host = text;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || close == 1) return false;
    host = text.substr(close + 1);
    if (!std::ranges::all_of(text.substr(1, close - 1), [](char c) {
          return is_digit(c) || c == ':' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        }))
      return false;
    if (host.empty()) return true;
    if (!host.starts_with(':')) return false;
  } else {
    const std::string_view name = host.substr(0, host.find(':'));
    for (const std::string_view label : split(name, '.'))
      if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back()) ||
          !std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; }))
        return false;
    host = host.substr(name.size());
    if (host.empty()) return true;
  }
  const std::string_view port = host.substr(1);
  return !port.empty() && std::ranges::all_of(port, is_digit);
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTag && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool looks_like_registry(std::string_view first_part) {
  return first_part.find_first_of(".:") != first_part.npos || first_part == "localhost" || has_upper(first_part);
}

bool is_bare_id(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::unexpected<Error> bad_format() { return fail(Errc::invalid_argument, "invalid reference format"); }

}  // namespace

Result<Reference> Reference::parse(std::string_view text, bool default_tag) {
  if (text.empty()) return bad_format();
  if (const auto scheme = text.find("://"); scheme != text.npos)
    return fail(Error(Errc::invalid_argument, "invalid reference format")
                    .with_hint(format("remove the scheme {}", quoted(text.substr(0, std::min<std::size_t>(scheme, 40) + 3)))));
  if (is_bare_id(text))
    return failf(Errc::invalid_argument, "invalid repository name ({}), cannot specify 64-byte hexadecimal strings", text);

  Reference ref;
  std::string_view rest = text;
  const auto slash = text.find('/');
  if (slash != text.npos && looks_like_registry(text.substr(0, slash))) {
    ref.registry = text.substr(0, slash);
    rest = text.substr(slash + 1);
  } else {
    ref.registry = kDefaultRegistry;
  }
  if (ref.registry == kLegacyRegistry) ref.registry = kDefaultRegistry;

  std::string_view digest;
  if (const auto at = rest.find('@'); at != rest.npos) {
    digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (digest.empty()) return bad_format();
  }
  if (const auto colon = rest.find(':'); colon != rest.npos) {
    ref.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(ref.tag)) return bad_format();
  }
  ref.path = rest;
  if (ref.registry == kDefaultRegistry && rest.find('/') == rest.npos) ref.path.insert(0, kOfficial);
  if (has_upper(ref.path) && is_path(to_lower(ref.path)))
    return failf(Errc::invalid_argument, "invalid reference format: repository name ({}) must be lowercase", ref.path);
  if (!is_registry(ref.registry) || !is_path(ref.path)) return bad_format();
  if (ref.registry.size() + 1 + ref.path.size() > kMaxName)
    return failf(Errc::invalid_argument, "repository name must not be more than {} characters", kMaxName);
  if (!digest.empty()) {
    auto known = Digest::parse(digest);
    if (!known) return fail(std::move(known).error().doing("invalid reference format"));
    ref.digest = std::move(*known);
  }
  if (ref.tag.empty() && ref.digest.empty() && default_tag) ref.tag = "latest";
  return ref;
}

std::string Reference::repository() const { return registry + "/" + path; }

std::string Reference::str() const {
  std::string text = repository();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest.str();
  return text;
}

std::string Reference::familiar_name() const {
  if (registry != kDefaultRegistry) return repository();
  const std::string_view all = path;
  if (all.starts_with(kOfficial) && all.find('/', kOfficial.size()) == all.npos) return std::string(all.substr(kOfficial.size()));
  // Such a path would be read back as a registry.
  if (const auto slash = all.find('/'); slash == all.npos || looks_like_registry(all.substr(0, slash))) return repository();
  return path;
}

std::string Reference::familiar() const {
  std::string text = familiar_name();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest.str();
  return text;
}

}  // namespace mica::oci
