#include "cli/build_lint.h"

#include "base/format.h"
#include "engine/lint_files.h"
#include "lint/inspection.h"
#include "lint/output.h"
#include "lint/rule.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMostNamed = 8;   // in the note; a line is enough

/// A bad configuration is no reason to fail a build: it is told in place of the findings.
Result<lint::Report> report_on(const engine::BuildImage& request, std::string_view source, const std::string& path) {
  const auto settings = TRY(engine::lint_settings({.build_args = request.build_args}));
  lint::Report report = lint::lint_text(path, std::string(source), settings.options);
  std::erase_if(report.findings, [](const lint::Finding& finding) { return !finding.suppressed_by.empty() || lint::is_build_check(*finding.rule); });
  return report;
}

}  // namespace

std::string lint_note(const engine::BuildImage& request, std::string_view source, const std::string& path) {
  const auto report = report_on(request, source, path);
  if (!report) return format("lint: {}\n", report.error().text());
  const lint::LineIndex lines(report->source);
  const auto count = lint::count_findings(std::span(&*report, 1));
  if (count.errors + count.warnings == 0) return {};
  std::string text, named;
  std::size_t shown = 0;
  for (const auto& finding : report->findings) {
    if (finding.severity > lint::Severity::warning) continue;
    if (++shown > kMostNamed) break;
    named += format("{}{} line {}", named.empty() ? "" : ", ", finding.rule->id, lines.position(finding.where.begin).line);
  }
  if (count.errors > 0) text = format("{} error{}", count.errors, count.errors == 1 ? "" : "s");
  if (count.warnings > 0) text += format("{}{} warning{}", text.empty() ? "" : ", ", count.warnings, count.warnings == 1 ? "" : "s");
  return format("\n lint: {} (mica lint {}): {}{}\n", text, path, named, shown > kMostNamed ? ", ..." : "");
}

std::string lint_page(const engine::BuildImage& request, std::string_view source, const std::string& path) {
  const auto report = report_on(request, source, path);
  if (!report) return format("\nlint: {}\n", report.error().text());
  if (report->findings.empty()) return {};
  return "\nmica lint adds:\n\n" + lint::write_reports(std::span(&*report, 1), lint::Format::tty, {});
}

}  // namespace mica::cli
