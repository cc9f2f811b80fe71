#include "engine/tag_patterns.h"

#include <fnmatch.h>

#include <algorithm>

namespace mica::engine {
namespace {

constexpr std::string_view kWildcards = "*?[";
constexpr std::string_view kDigestTag = "sha256-";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == '.' || c == '-' || c == '_' || c == '+'; }

/// The next number or word of a version; separators are skipped.
std::string_view take(std::string_view& text) {
  while (!text.empty() && is_separator(text[0])) text.remove_prefix(1);
  if (text.empty()) return {};
  std::size_t end = 1;
  while (end < text.size() && is_digit(text[end]) == is_digit(text[0]) && !is_separator(text[end])) ++end;
  const auto part = text.substr(0, end);
  text.remove_prefix(end);
  return part;
}

int compare_numbers(std::string_view a, std::string_view b) {
  while (a.size() > 1 && a[0] == '0') a.remove_prefix(1);
  while (b.size() > 1 && b[0] == '0') b.remove_prefix(1);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

std::string_view behind_prefix(std::string_view tag, std::string_view pattern) {
  tag.remove_prefix(std::min(tag.size(), std::min(pattern.size(), pattern.find_first_of(kWildcards))));
  return tag;
}

std::string_view version_of(std::string_view tag, std::string_view pattern) {
  // Of "3.1*" the number that the wildcard completes belongs to the version.
  if (!tag.empty() && is_digit(tag[0])) return tag;
  if (tag.size() > 1 && tag[0] == 'v' && is_digit(tag[1])) return tag.substr(1);
  tag = behind_prefix(tag, pattern);
  if (tag.size() > 1 && tag[0] == 'v' && is_digit(tag[1])) tag.remove_prefix(1);
  return tag;
}

}  // namespace

bool is_pattern(std::string_view text) { return text.find_first_of(kWildcards) != text.npos; }

std::pair<std::string, std::string> split_pattern(std::string_view source) {
  // A layout's names may be whole references: "oci:folder:alpine:3.*".
  if (source.starts_with("oci:")) {
    const auto colon = source.find(':', 4);
    if (colon == source.npos || !is_pattern(source.substr(colon))) return {std::string(source), ""};
    return {std::string(source.substr(0, colon)), std::string(source.substr(colon + 1))};
  }
  const auto slash = source.rfind('/');
  const auto colon = source.rfind(':');
  if (colon == source.npos || (slash != source.npos && colon < slash)) return {std::string(source), ""};
  const auto tag = source.substr(colon + 1);
  if (!is_pattern(tag)) return {std::string(source), ""};
  return {std::string(source.substr(0, colon)), std::string(tag)};
}

bool is_version(std::string_view tag, std::string_view pattern) {
  const auto version = version_of(tag, pattern);
  return !version.empty() && is_digit(version[0]);
}

bool is_older(std::string_view a, std::string_view b) {
  for (;;) {
    const auto x = take(a), y = take(b);
    if (x.empty() && y.empty()) return false;
    if (x.empty()) return is_digit(y[0]);
    if (y.empty()) return !is_digit(x[0]);
    const bool x_number = is_digit(x[0]), y_number = is_digit(y[0]);
    if (x_number != y_number) return y_number;
    const int order = x_number ? compare_numbers(x, y) : x.compare(y);
    if (order != 0) return order < 0;
  }
}

std::vector<std::string> matching_tags(const std::vector<std::string>& tags, const std::string& pattern, int newest) {
  std::vector<std::string> out;
  for (const auto& tag : tags) {
    if (tag.starts_with(kDigestTag) && !pattern.starts_with(kDigestTag)) continue;
    if (::fnmatch(pattern.c_str(), tag.c_str(), 0) != 0) continue;
    if (newest > 0 && !is_version(tag, pattern)) continue;
    out.push_back(tag);
  }
  if (newest <= 0) return out;
  std::ranges::stable_sort(out, [&](const auto& a, const auto& b) { return is_older(version_of(b, pattern), version_of(a, pattern)); });
  if (out.size() > static_cast<std::size_t>(newest)) out.resize(static_cast<std::size_t>(newest));
  return out;
}

}  // namespace mica::engine
