#include "lint/label_kinds.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"

namespace mica::lint {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Identifiers of the SPDX list that images are published under; "LicenseRef-..." is anybody's own.
constexpr auto kLicenses = std::to_array<std::string_view>(
    {"0BSD", "AFL-3.0", "AGPL-1.0-only", "AGPL-1.0-or-later", "AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-1.0", "Apache-1.1",
     "Apache-2.0", "APSL-2.0", "Artistic-1.0", "Artistic-1.0-Perl", "Artistic-2.0", "BlueOak-1.0.0", "BSD-1-Clause", "BSD-2-Clause",
     "BSD-2-Clause-Patent", "BSD-3-Clause", "BSD-3-Clause-Clear", "BSD-4-Clause", "BSL-1.0", "BUSL-1.1", "bzip2-1.0.6", "CAL-1.0", "CC-BY-1.0",
     "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDDL-1.0",
     "CDDL-1.1", "CECILL-2.1", "CPL-1.0", "curl", "ECL-2.0", "EFL-2.0", "Elastic-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "FSFAP", "FTL",
     "GFDL-1.3-only", "GFDL-1.3-or-later", "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0", "GPL-2.0+", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0",
     "GPL-3.0+", "GPL-3.0-only", "GPL-3.0-or-later", "HPND", "ICU", "IJG", "ImageMagick", "IPL-1.0", "ISC", "JSON", "LGPL-2.0-only", "LGPL-2.0-or-later",
     "LGPL-2.1", "LGPL-2.1+", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0", "LGPL-3.0+", "LGPL-3.0-only", "LGPL-3.0-or-later", "Libpng", "libtiff",
     "LPPL-1.3c", "MIT", "MIT-0", "MIT-CMU", "MPL-1.0", "MPL-1.1", "MPL-2.0", "MPL-2.0-no-copyleft-exception", "MS-PL", "MS-RL", "MulanPSL-2.0", "NCSA",
     "ODbL-1.0", "OFL-1.1", "OLDAP-2.8", "OpenSSL", "OSL-3.0", "PHP-3.01", "PostgreSQL", "PSF-2.0", "Python-2.0", "QPL-1.0", "RPL-1.5", "Ruby",
     "Sleepycat", "SSPL-1.0", "TCL", "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "UPL-1.0", "Vim", "W3C", "WTFPL", "X11", "Xnet", "Zend-2.0", "Zlib",
     "ZPL-2.1"});

bool is_license_id(std::string_view id) {
  return id.starts_with("LicenseRef-") || std::ranges::any_of(kLicenses, [&](std::string_view known) { return equals_ignoring_case(known, id); });
}

bool is_semver_number(std::string_view part) {
  return !part.empty() && std::ranges::all_of(part, is_digit) && (part.size() == 1 || part[0] != '0');
}
bool are_identifiers(std::string_view text, bool numbers_without_zeros) {
  for (const std::string_view part : split(text, '.')) {
    if (part.empty() || !std::ranges::all_of(part, [](char c) { return is_digit(c) || is_letter(c) || c == '-'; })) return false;
    if (numbers_without_zeros && std::ranges::all_of(part, is_digit) && !is_semver_number(part)) return false;
  }
  return true;
}

}  // namespace

bool is_url(std::string_view text) {
  const auto pair = split_once(text, ':');
  if (!pair || pair->first.empty() || !is_letter(pair->first[0])) return false;
  if (!std::ranges::all_of(pair->first, [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; })) return false;
  if (!pair->second.starts_with("//") || pair->second.size() < 3) return false;
  return std::ranges::none_of(pair->second, [](char c) { return c <= ' ' || c == '<' || c == '>' || c == '"' || c == '`' || c == '{' || c == '}'; });
}

bool is_rfc3339(std::string_view text) { return parse_rfc3339(text).has_value(); }

bool is_spdx_license(std::string_view text) {
  const std::string spaced = replace_all(replace_all(std::string(text), "(", " ( "), ")", " ) ");
  int depth = 0;
  bool want_id = true;
  for (const std::string_view word : split_blanks(spaced)) {
    if (word == "(") {
      if (!want_id) return false;
      ++depth;
    } else if (word == ")") {
      if (want_id || --depth < 0) return false;
    } else if (word == "AND" || word == "OR" || word == "WITH") {
      if (want_id) return false;
      want_id = true;
    } else {
      const std::string_view id = word.ends_with('+') && !is_license_id(word) ? word.substr(0, word.size() - 1) : word;
      const bool exception = word.find("exception") != word.npos || word.find("Exception") != word.npos;
      if (!want_id || (!is_license_id(id) && !exception)) return false;
      want_id = false;
    }
  }
  return !want_id && depth == 0;
}

bool is_git_hash(std::string_view text) {
  return (text.size() == 7 || text.size() == 40 || (text.size() > 7 && text.size() < 40)) && std::ranges::all_of(text, is_hex);
}

bool is_semver(std::string_view text) {
  std::string_view core = text.substr(0, text.find_first_of("-+"));
  const auto numbers = split(core, '.');
  if (numbers.size() != 3 || !std::ranges::all_of(numbers, is_semver_number)) return false;
  std::string_view rest = text.substr(core.size());
  if (rest.starts_with('-')) {
    const std::string_view release = rest.substr(1, rest.find('+') == rest.npos ? rest.npos : rest.find('+') - 1);
    if (!are_identifiers(release, true)) return false;
    rest.remove_prefix(1 + release.size());
  }
  return rest.empty() || (rest[0] == '+' && are_identifiers(rest.substr(1), false));
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  if (local.starts_with('.') || local.ends_with('.') || local.find("..") != local.npos) return false;
  constexpr std::string_view kMarks = "!#$%&'*+/=?^_`{|}~-.";
  if (!std::ranges::all_of(local, [&](char c) { return is_letter(c) || is_digit(c) || kMarks.find(c) != kMarks.npos || (c & 0x80); })) return false;
  for (const std::string_view part : split(domain, '.')) {
    if (part.empty() || part.starts_with('-') || part.ends_with('-')) return false;
    if (!std::ranges::all_of(part, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || (c & 0x80); })) return false;
  }
  return true;
}

}  // namespace mica::lint
