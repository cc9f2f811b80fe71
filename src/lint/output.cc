#include "lint/output.h"

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/utf8.h"
#include "lint/output_parts.h"

namespace mica::lint {
namespace {

constexpr std::string_view kNames[] = {"tty", "json", "sarif", "checkstyle", "codeclimate", "gitlab_codeclimate", "gnu", "github", "sonarqube", "codacy", "junit"};

std::string write_gnu(std::span<const Report> reports) {
  std::string text;
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      text += format("mica:{}:{}:{}: {} {}: {}\n", report.file, item.begin.line, item.begin.column, item.code, severity_name(item.severity), item.message);
    });
  return text;
}

std::string github_escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool escape = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (escape) out += format("%{:02X}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out;
}

std::string write_github(std::span<const Report> reports) {
  std::string text;
  for (const Report& report : reports)
    each_item(report, false, [&](const Item& item) {
      const std::string_view kind = item.severity == Severity::error ? "error" : item.severity == Severity::warning ? "warning" : "notice";
      text += format("::{} file={},line={},col={},endLine={},title={}::{}\n", kind, github_escaped(report.file, true), item.begin.line, item.begin.column, item.end.line,
                     github_escaped(item.code, true), github_escaped(item.message, false));
    });
  return text;
}

}  // namespace

std::optional<Format> format_of(std::string_view name) {
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Format>(found - std::begin(kNames));
}
std::span<const std::string_view> format_names() { return kNames; }

void each_item(const Report& report, bool suppressed, const std::function<void(const Item&)>& visit) {
  const LineIndex lines(report.source);
  for (const auto& error : report.errors) {
    Item item{.report = &report, .code = kSyntaxErrorId, .message = error.message};
    if (!error.suggestion.empty()) item.message += format(" ({})", error.suggestion);
    item.begin = {.line = std::max(1, error.where.line), .column = std::max(1, error.where.column)};
    const Span line = lines.line(item.begin.line);
    item.end = lines.position(line.end);
    if (item.end.line != item.begin.line || item.end.column < item.begin.column) item.end = item.begin;
    visit(item);
  }
  for (const Finding& finding : report.findings) {
    if (!finding.suppressed_by.empty() && !suppressed) continue;
    visit({.report = &report, .finding = &finding, .code = finding.rule->id, .severity = finding.severity, .message = finding.message,
           .begin = lines.position(finding.where.begin), .end = lines.position(finding.where.end)});
  }
}

LineIndex::Position in_code_points(const Report& report, const LineIndex& lines, LineIndex::Position position) {
  const std::size_t begin = lines.line(position.line).begin;
  std::string_view before = std::string_view(report.source).substr(begin, static_cast<std::size_t>(position.column - 1));
  int column = 1;
  while (!before.empty()) {
    before.remove_prefix(static_cast<std::size_t>(std::max(1, first_code_point(before).length)));
    ++column;
  }
  return {.line = position.line, .column = column};
}

std::string Fingerprints::next(const Item& item) {
  const LineIndex lines(item.report->source);
  const Span line = lines.line(item.begin.line);
  Sha256 hash;
  hash.field(item.report->file).field(item.code).field(trim(std::string_view(item.report->source).substr(line.begin, line.end - line.begin)));
  std::string name = hash.finish_hex();
  const int earlier = seen_[name]++;
  return earlier == 0 ? name : sha256_hex(format("{} {}", name, earlier));
}

std::string write_reports(std::span<const Report> reports, Format kind, const Look& look) {
  switch (kind) {
    case Format::tty: return write_tty(reports, look);
    case Format::json: return json::write(write_json(reports)) + "\n";
    case Format::sarif: return json::write(write_sarif(reports, look)) + "\n";
    case Format::checkstyle: return write_checkstyle(reports);
    case Format::codeclimate: return write_codeclimate(reports);
    case Format::gitlab_codeclimate: return json::write(write_gitlab(reports)) + "\n";
    case Format::gnu: return write_gnu(reports);
    case Format::github: return write_github(reports);
    case Format::sonarqube: return json::write(write_sonarqube(reports)) + "\n";
    case Format::codacy: return write_codacy(reports);
    case Format::junit: return write_junit(reports);
  }
  return {};
}

Count count_findings(std::span<const Report> reports) {
  Count count;
  for (const Report& report : reports) {
    count.errors += report.errors.size();
    for (const Finding& finding : report.findings) {
      if (!finding.suppressed_by.empty()) {
        ++count.suppressed;
        continue;
      }
      switch (finding.severity) {
        case Severity::error: ++count.errors; break;
        case Severity::warning: ++count.warnings; break;
        case Severity::info: ++count.infos; break;
        case Severity::style: ++count.styles; break;
        case Severity::off: break;
      }
      if (!finding.fix) continue;
      if (finding.fix->kind == FixKind::safe) ++count.fixable;
      if (finding.fix->kind == FixKind::ask) ++count.fixable_on_request;
    }
  }
  return count;
}

bool reaches(std::span<const Report> reports, Severity threshold) {
  return std::any_of(reports.begin(), reports.end(), [&](const Report& report) {
    return !report.errors.empty() || std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
      return finding.suppressed_by.empty() && finding.severity <= threshold;
    });
  });
}

}  // namespace mica::lint
