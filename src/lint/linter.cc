#include "lint/linter.h"

#include <algorithm>

#include "dockerfile/parser.h"
#include "lint/inspection.h"
#include "lint/pragmas.h"
#include "lint/reference_text.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

bool is_on(const Rule& rule, const Options& options) { return severity_of(rule, options) != Severity::off; }

bool looked_for(const Rule& rule, const Options& options) { return rule.check != nullptr && is_on(rule, options); }

/// Errors that are rules as well are findings, not reasons to give up on the file.
void take_errors(std::vector<dockerfile::Diagnostic>& errors, Inspection& inspection) {
  std::erase_if(errors, [&](const dockerfile::Diagnostic& error) {
    const Rule* rule = error.code.empty() ? nullptr : find_rule(error.code);
    if (rule) inspection.report(*rule, inspection.span(error.where), error.where.line, error.message);
    return rule != nullptr;
  });
}

/// What the configuration lets pass: the text that the finding points at is on the rule's list.
bool is_allowed(const Finding& finding, std::string_view source, const Options& options) {
  const auto found = options.allowed.find(finding.rule->id);
  if (found == options.allowed.end()) return false;
  const std::string_view text = source.substr(finding.where.begin, finding.where.end - finding.where.begin);
  return std::ranges::any_of(found->second, [&](const std::string& pattern) { return matches_ends(pattern, text); });
}

void finish(std::vector<Finding>& findings, std::string_view source, const Options& options) {
  for (Finding& finding : findings) finding.severity = severity_of(*finding.rule, options);
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.severity == Severity::off || is_allowed(finding, source, options);
  });
}

void sort(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return a.where.begin != b.where.begin ? a.where.begin < b.where.begin : a.rule->id < b.rule->id;
  });
}

}  // namespace

Severity severity_of(const Rule& rule, const Options& options) {
  if (options.ignored.contains(rule.id)) return Severity::off;
  const auto changed = options.severities.find(rule.id);
  return changed == options.severities.end() ? rule.severity : changed->second;
}

Report lint_text(std::string name, std::string source, const Options& options) {
  dockerfile::Parsed parsed = dockerfile::parse(name, source, {.fragment = true});
  Report report{.file = std::move(name), .source = std::move(source), .errors = std::move(parsed.errors)};
  if (parsed.file.source.empty()) return report;  // nothing was read: the errors say why

  const LineIndex lines(parsed.file.source);
  Pragmas pragmas = find_pragmas(parsed.file, lines, options.today);
  Inspection inspection(parsed.file, options, pragmas.shells);
  for (const Rule* rule : rules())
    if (looked_for(*rule, options)) rule->check(inspection);
  take_errors(report.errors, inspection);
  report.findings = inspection.take();
  finish(report.findings, report.source, options);
  if (options.honour_pragmas) {
    apply_pragmas(pragmas.pragmas, lines, report.findings);
    check_pragmas(pragmas.pragmas, inspection, looked_for);
    std::vector<Finding> about_pragmas = inspection.take();
    finish(about_pragmas, report.source, options);
    apply_pragmas(pragmas.pragmas, lines, about_pragmas);
    std::ranges::move(about_pragmas, std::back_inserter(report.findings));
  }
  sort(report.findings);
  return report;
}

void add_findings(Report& report, std::vector<Finding> findings, const Options& options) {
  finish(findings, report.source, options);
  if (findings.empty()) return;
  if (options.honour_pragmas) {
    const dockerfile::Parsed parsed = dockerfile::parse(report.file, report.source, {.fragment = true});
    const LineIndex lines(report.source);
    Pragmas pragmas = find_pragmas(parsed.file, lines, options.today);
    apply_pragmas(pragmas.pragmas, lines, findings);
  }
  std::ranges::move(findings, std::back_inserter(report.findings));
  sort(report.findings);
}

}  // namespace mica::lint
