/// Reports as text for people and for the programs that read a linter's output. The formats are those of hadolint where it has one of that name, with what it leaves out
/// (columns, ends, fixes, costs) added where the format has a place for it: docs/formats/lint.md.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/linter.h"

namespace mica::lint {

enum class Format : std::uint8_t { tty, json, sarif, checkstyle, codeclimate, gitlab_codeclimate, gnu, github, sonarqube, codacy, junit };
std::optional<Format> format_of(std::string_view name);        ///< "gitlab_codeclimate" and so on
std::span<const std::string_view> format_names();              ///< in the order of Format

struct Look {
  bool colour = false;             ///< tty only
  std::string_view version;        ///< of mica, for sarif
};
/// All reports as one text, which ends with a line end unless it is empty. Findings that are suppressed are left out, but for sarif, which has a word for that.
std::string write_reports(std::span<const Report> reports, Format format, const Look& look);

/// "error", "warning", "info", "style": how grave a finding is in hadolint's words.
inline constexpr std::string_view kSyntaxErrorId = "DL1000";   ///< the code of a syntax error, as hadolint has it

/// What of it counts: the findings that no pragma hides.
struct Count {
  std::size_t errors = 0, warnings = 0, infos = 0, styles = 0;
  std::size_t fixable = 0, fixable_on_request = 0, suppressed = 0;
  std::size_t total() const { return errors + warnings + infos + styles; }
};
Count count_findings(std::span<const Report> reports);
/// Whether a finding that is not suppressed is at least as grave as `threshold`, or a file has a syntax error.
bool reaches(std::span<const Report> reports, Severity threshold);

}  // namespace mica::lint
