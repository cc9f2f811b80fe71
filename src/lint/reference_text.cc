#include "lint/reference_text.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"

namespace mica::lint {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

/// Lower case letters and digits, in groups apart by one '.', one or two '_' or any number of '-'.
bool is_path_part(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
  for (std::size_t at = 0; at < part.size();) {
    if (is_lower_or_digit(part[at])) {
      ++at;
      continue;
    }
    const std::size_t end = std::ranges::find_if(part.substr(at), is_lower_or_digit) - part.begin();
    const std::string_view separator = part.substr(at, end - at);
    const bool dashes = separator.find_first_not_of('-') == separator.npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    at = end;
  }
  return true;
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || (!is_letter_or_digit(tag[0]) && tag[0] != '_')) return false;
  return std::ranges::all_of(tag, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  const auto pair = split_once(digest, ':');
  if (!pair || pair->first.empty() || pair->second.size() < 32) return false;
  return std::ranges::all_of(pair->second, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

bool is_registry(std::string_view registry) {
  return std::ranges::all_of(registry, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']'; });
}

struct Release {
  std::string_view image, version, called, date;
};
/// What the projects themselves have announced, long-term support that is free of charge included.
constexpr auto kReleases = std::to_array<Release>({
    {"debian", "7", "wheezy", "2018-05-31"},      {"debian", "8", "jessie", "2020-06-30"},
    {"debian", "9", "stretch", "2022-06-30"},     {"debian", "10", "buster", "2024-06-30"},
    {"debian", "11", "bullseye", "2026-08-31"},   {"debian", "12", "bookworm", "2028-06-30"},
    {"ubuntu", "14.04", "trusty", "2019-04-25"},  {"ubuntu", "16.04", "xenial", "2021-04-30"},
    {"ubuntu", "18.04", "bionic", "2023-05-31"},  {"ubuntu", "20.04", "focal", "2025-05-31"},
    {"ubuntu", "22.04", "jammy", "2027-04-30"},   {"ubuntu", "22.10", "kinetic", "2023-07-20"},
    {"ubuntu", "23.04", "lunar", "2024-01-25"},   {"ubuntu", "23.10", "mantic", "2024-07-11"},
    {"ubuntu", "24.10", "oracular", "2025-07-10"}, {"ubuntu", "25.04", "plucky", "2026-01-15"},
    {"alpine", "3.10", "", "2021-05-01"},         {"alpine", "3.11", "", "2021-11-01"},
    {"alpine", "3.12", "", "2022-05-01"},         {"alpine", "3.13", "", "2022-11-01"},
    {"alpine", "3.14", "", "2023-05-01"},         {"alpine", "3.15", "", "2023-11-01"},
    {"alpine", "3.16", "", "2024-05-23"},         {"alpine", "3.17", "", "2024-11-22"},
    {"alpine", "3.18", "", "2025-05-09"},         {"alpine", "3.19", "", "2025-11-01"},
    {"alpine", "3.20", "", "2026-04-01"},         {"alpine", "3.21", "", "2026-11-01"},
    {"alpine", "3.9", "", "2020-11-01"},          {"alpine", "3.8", "", "2020-05-01"},
    {"centos", "6", "", "2020-11-30"},            {"centos", "7", "", "2024-06-30"},
    {"centos", "8", "", "2021-12-31"},            {"fedora", "38", "", "2024-05-21"},
    {"fedora", "39", "", "2024-11-26"},           {"fedora", "40", "", "2025-05-13"},
    {"node", "8", "", "2019-12-31"},              {"node", "10", "", "2021-04-30"},
    {"node", "12", "", "2022-04-30"},             {"node", "14", "", "2023-04-30"},
    {"node", "15", "", "2021-06-01"},             {"node", "16", "", "2023-09-11"},
    {"node", "17", "", "2022-06-01"},             {"node", "18", "", "2025-04-30"},
    {"node", "19", "", "2023-06-01"},             {"node", "20", "", "2026-04-30"},
    {"node", "21", "", "2024-06-01"},             {"node", "22", "", "2027-04-30"},
    {"node", "23", "", "2025-06-01"},             {"python", "2", "", "2020-01-01"},
    {"python", "2.7", "", "2020-01-01"},          {"python", "3.5", "", "2020-09-30"},
    {"python", "3.6", "", "2021-12-23"},          {"python", "3.7", "", "2023-06-27"},
    {"python", "3.8", "", "2024-10-07"},          {"python", "3.9", "", "2025-10-31"},
    {"python", "3.10", "", "2026-10-31"},         {"ruby", "2.6", "", "2022-04-12"},
    {"ruby", "2.7", "", "2023-03-31"},            {"ruby", "3.0", "", "2024-04-23"},
    {"ruby", "3.1", "", "2025-03-26"},            {"ruby", "3.2", "", "2026-03-31"},
    {"php", "5", "", "2018-12-31"},               {"php", "7", "", "2022-11-28"},
    {"php", "7.4", "", "2022-11-28"},             {"php", "8.0", "", "2023-11-26"},
    {"php", "8.1", "", "2025-12-31"},             {"php", "8.2", "", "2026-12-31"},
    {"golang", "1.19", "", "2023-09-06"},         {"golang", "1.20", "", "2024-02-06"},
    {"golang", "1.21", "", "2024-08-13"},         {"golang", "1.22", "", "2025-02-11"},
    {"golang", "1.23", "", "2025-08-12"},         {"golang", "1.24", "", "2026-02-11"},
    {"postgres", "10", "", "2022-11-10"},         {"postgres", "11", "", "2023-11-09"},
    {"postgres", "12", "", "2024-11-21"},         {"postgres", "13", "", "2025-11-13"},
    {"postgres", "14", "", "2026-11-12"},         {"mysql", "5.7", "", "2023-10-31"},
    {"mysql", "8.0", "", "2026-04-30"},           {"mongo", "4.4", "", "2024-02-29"},
    {"mongo", "5.0", "", "2024-10-31"},           {"mongo", "6.0", "", "2025-07-31"},
});

constexpr auto kTitles = std::to_array<std::pair<std::string_view, std::string_view>>({{"debian", "Debian"},
                                                                                       {"ubuntu", "Ubuntu"},
                                                                                       {"alpine", "Alpine"},
                                                                                       {"centos", "CentOS"},
                                                                                       {"fedora", "Fedora"},
                                                                                       {"node", "Node.js"},
                                                                                       {"python", "Python"},
                                                                                       {"ruby", "Ruby"},
                                                                                       {"php", "PHP"},
                                                                                       {"golang", "Go"},
                                                                                       {"postgres", "PostgreSQL"},
                                                                                       {"mysql", "MySQL"},
                                                                                       {"mongo", "MongoDB"}});

std::string title_of(const Release& release) {
  for (const auto& [image, title] : kTitles)
    if (image == release.image)
      return release.called.empty() ? format("{} {}", title, release.version)
                                    : format("{} {} ({})", title, release.version, release.called);
  return std::string(release.image);
}

/// "3.9" is the version of "3.9", "3.9.1" and "3.9-slim".
bool has_version(std::string_view tag, std::string_view version) {
  if (!tag.starts_with(version)) return false;
  return tag.size() == version.size() || tag[version.size()] == '.' || tag[version.size()] == '-';
}

}  // namespace

ImageText split_image(std::string_view text) {
  ImageText image;
  if (const std::size_t at = text.find('@'); at != text.npos) {
    image.digest = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.rfind('/');
  if (const std::size_t colon = text.find(':', slash == text.npos ? 0 : slash); colon != text.npos) {
    image.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  if (const std::size_t first = text.find('/'); first != text.npos) {
    const std::string_view host = text.substr(0, first);
    if (host.find_first_of(".:") != host.npos || host == "localhost") {
      image.registry = host;
      text.remove_prefix(first + 1);
    }
  }
  image.path = text;
  return image;
}

bool is_image_reference(std::string_view text) {
  const ImageText image = split_image(text);
  if (!is_registry(image.registry)) return false;
  for (const std::string_view part : split(image.path, '/'))
    if (!is_path_part(part)) return false;
  const std::string_view before_digest = text.substr(0, text.find('@'));
  const bool has_tag = image.tag.data() != nullptr;
  if (has_tag && !is_tag(image.tag)) return false;
  return before_digest.size() == text.size() || is_digest(image.digest);
}

bool matches_ends(std::string_view pattern, std::string_view registry) {
  const bool open_left = pattern.starts_with('*'), open_right = pattern.size() > (open_left ? 1 : 0) && pattern.ends_with('*');
  if (open_left) pattern.remove_prefix(1);
  if (open_right) pattern.remove_suffix(1);
  if (open_left && open_right) return registry.find(pattern) != registry.npos;
  if (open_left) return registry.ends_with(pattern);
  if (open_right) return registry.starts_with(pattern);
  return registry == pattern;
}

EndOfLife end_of_life(const ImageText& image) {
  if (!image.on_docker_hub() || image.tag.empty()) return {};
  // The release with the longest version that fits: "3.10" before "3".
  const Release* found = nullptr;
  for (const Release& release : kReleases) {
    const bool own = release.image == image.name() && has_version(image.tag, release.version);
    bool named = false;
    if (!release.called.empty())
      for (const std::string_view part : split(image.tag, '-')) named |= part == release.called;
    if (own || named)
      if (!found || release.version.size() > found->version.size() || release.image == image.name()) found = &release;
  }
  if (!found) return {};
  return {title_of(*found), found->date};
}

}  // namespace mica::lint
