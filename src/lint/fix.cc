#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "lint/linter.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

constexpr int kMaxSingleFixes = 200;   // taken one at a time, beyond the passes: each of them lints the file anew

bool wanted(const Finding& finding, bool unsafe, std::string_view only) {
  if (!finding.fix || finding.fix->edits.empty() || !finding.suppressed_by.empty()) return false;
  if (!only.empty() && finding.rule->id != only) return false;
  return finding.fix->kind == FixKind::safe || (unsafe && finding.fix->kind == FixKind::ask);
}

/// Two insertions at one place touch: which of them should come first is not known.
bool touch(const Span& a, const Span& b) {
  return a.begin < b.end && b.begin < a.end ? true : a.begin == b.begin && (a.begin == a.end || b.begin == b.end);
}

std::string applied(const std::string& source, const std::vector<const Finding*>& findings) {
  std::vector<const Edit*> edits;
  for (const Finding* finding : findings)
    for (const Edit& edit : finding->fix->edits) edits.push_back(&edit);
  std::ranges::sort(edits, {}, [](const Edit* edit) { return edit->where; });
  std::string text;
  std::size_t at = 0;
  for (const Edit* edit : edits) {
    text.append(source, at, edit->where.begin - at);
    text += edit->text;
    at = edit->where.end;
  }
  return text.append(source, at);
}

/// How often each rule fires, and how many errors there are.
using Counts = std::map<std::string_view, int>;
Counts count(const Report& report) {
  Counts counts;
  for (const Finding& finding : report.findings)
    if (finding.suppressed_by.empty()) ++counts[finding.rule->id];
  counts[""] = static_cast<int>(report.errors.size());
  return counts;
}
bool worse(const Counts& after, const Counts& before) {
  return std::ranges::any_of(after, [&](const auto& entry) {
    const auto old = before.find(entry.first);
    return entry.second > (old == before.end() ? 0 : old->second);
  });
}

/// What a fix is known by when its place has moved.
std::string key_of(const Finding& finding, const std::string& source) {
  const Span where = finding.fix->edits.front().where;
  return format("{}\n{}\n{}", finding.rule->id, finding.message, source.substr(where.begin, where.end - where.begin));
}

}  // namespace

Fixed fix_text(std::string_view name, std::string source, const Options& options, bool unsafe, std::string_view only) {
  Fixed fixed{.source = std::move(source)};
  std::set<std::string> refused;
  int single_fixes = 0;
  Report report = lint_text(std::string(name), fixed.source, options);
  for (int pass = 0; pass < kMaxFixPasses; ++pass) {
    std::vector<const Finding*> chosen;
    std::vector<Span> taken;
    for (const Finding& finding : report.findings) {
      if (!wanted(finding, unsafe, only) || refused.contains(key_of(finding, fixed.source))) continue;
      const auto clashes = [&](const Edit& edit) {
        return std::ranges::any_of(taken, [&](const Span& span) { return touch(span, edit.where); });
      };
      if (std::ranges::any_of(finding.fix->edits, clashes)) continue;
      chosen.push_back(&finding);
      for (const Edit& edit : finding.fix->edits) taken.push_back(edit.where);
    }
    if (chosen.empty()) break;
    const Counts before = count(report);
    std::string text = applied(fixed.source, chosen);
    Report after = lint_text(std::string(name), text, options);
    if (worse(count(after), before)) {
      // One of them is to blame: each is tried alone, and the first that does no harm is taken.
      const auto all = std::exchange(chosen, {});
      for (const Finding* finding : all) {
        text = applied(fixed.source, {finding});
        after = lint_text(std::string(name), text, options);
        if (!worse(count(after), before)) {
          chosen = {finding};
          break;
        }
        refused.insert(key_of(*finding, fixed.source));
      }
      if (chosen.empty()) break;
      if (++single_fixes < kMaxSingleFixes) --pass;
    }
    for (const Finding* finding : chosen) fixed.applied.push_back(*finding);
    if (text == fixed.source) break;
    fixed.source = std::move(text);
    refused.clear();  // what did harm then may do none now
    report = std::move(after);
  }
  return fixed;
}

}  // namespace mica::lint
