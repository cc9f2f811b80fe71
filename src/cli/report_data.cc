// The JSON block of a report's page: docs/formats/report.md.
#include "cli/report_page.h"
#include "engine/analyze_json.h"
#include "lint/inspection.h"
#include "lint/rule.h"

namespace mica::cli {
namespace {

/// What each list may take, so that the page stays below 1 MB.
constexpr std::size_t kFindingBytes = 60'000, kRollupBytes = 60'000, kDuplicateBytes = 60'000, kCacheBytes = 20'000;

/// Keeps the first of a list; what went is told in `cut`.
void cut_list(json::Value& analysis, std::string_view name, std::size_t budget, json::Value& cut) {
  auto& list = analysis.find(name)->as_array();
  std::size_t kept = 0;
  for (std::size_t used = 0; kept < list.size(); ++kept) {
    used += json::write_for_html(list[kept]).size() + 1;
    if (used > budget) break;
  }
  if (kept == list.size()) return;
  std::int64_t bytes = 0;
  for (std::size_t i = kept; i < list.size(); ++i) bytes += list[i].int_or("bytes");
  json::Value one = json::Value::object();
  one.set("count", static_cast<std::int64_t>(list.size() - kept));
  one.set("bytes", bytes);
  cut.set(name, std::move(one));
  list.resize(kept);
}

json::Value number(std::size_t value) { return json::Value(static_cast<std::uint64_t>(value)); }

/// [name, bytes, layer, kind, owner], of directories and rests [..., files], of directories that are opened [..., files, [children]].
json::Value tree_json(const analyze::TreeNode& node) {
  json::Array out{json::Value(node.name), json::Value(node.bytes), number(node.layer), number(node.kind), number(node.owner)};
  if (node.is_directory || node.name.empty()) out.emplace_back(node.files);
  if (node.is_directory) {
    json::Value children = json::Value::array();
    for (const auto& child : node.children) children.push(tree_json(child));
    out.push_back(std::move(children));
  }
  return out;
}

json::Value build_json(const engine::ImageReport& report) {
  if (!report.build) return {};
  const auto& build = *report.build;
  json::Value out = json::Value::object();
  out.set("build", build.id);
  out.set("tags", json::from(build.tags));
  out.set("context", build.context);
  out.set("dockerfile", build.dockerfile);
  out.set("target", build.target);
  out.set("started", rfc3339(build.started));
  out.set("duration_ns", build.duration_ns);
  json::Value steps = json::Value::array();
  for (std::size_t i = 0; i < build.steps.size(); ++i) {
    const auto& step = build.steps[i];
    json::Value one = json::Value::object();
    one.set("number", step.number);
    one.set("title", step.title);
    one.set("line", step.line);
    one.set("outcome", build::name(step.outcome));
    one.set("started_ns", step.started_ns < 0 ? json::Value() : json::Value(step.started_ns));
    one.set("duration_ns", step.duration_ns);
    one.set("reasons", json::from(step.reasons));
    if (i < report.runs.size()) {
      one.set("builds", report.runs[i].builds);
      one.set("ran", report.runs[i].ran);
      one.set("hit", report.runs[i].hit);
      one.set("median_ns", report.runs[i].median_ns < 0 ? json::Value() : json::Value(report.runs[i].median_ns));
    }
    steps.push(std::move(one));
  }
  out.set("steps", std::move(steps));
  return out;
}

json::Value dockerfile_json(const engine::ImageReport& report) {
  if (!report.dockerfile) return {};
  const auto& file = *report.dockerfile;
  const lint::LineIndex lines(file.source);
  json::Value out = json::Value::object();
  out.set("file", file.file);
  out.set("of_build", report.dockerfile_of_build);
  json::Value findings = json::Value::array();
  for (const auto& finding : file.findings) {
    json::Value one = json::Value::object();
    const auto at = lines.position(finding.where.begin);
    one.set("rule", finding.rule->id);
    one.set("severity", lint::severity_name(finding.severity));
    one.set("line", at.line);
    one.set("column", at.column);
    one.set("message", finding.message);
    if (finding.bytes) one.set("bytes", *finding.bytes);
    if (finding.seconds) one.set("seconds", *finding.seconds);
    if (!finding.suppressed_by.empty()) one.set("suppressed_by", finding.suppressed_by);
    findings.push(std::move(one));
  }
  out.set("findings", std::move(findings));
  return out;
}

json::Value sizes_json(const engine::ImageReport& report) {
  json::Value out = json::Value::array();
  for (const auto& point : report.sizes) {
    json::Value one = json::Value::object();
    one.set("since", rfc3339(point.since));
    one.set("image", point.image.digest.str());
    one.set("bytes", point.bytes);
    one.set("layers", point.layers);
    one.set("wasted_bytes", point.waste ? json::Value(*point.waste) : json::Value());
    one.set("duration_ns", point.build ? json::Value(point.build->duration_ns) : json::Value());
    one.set("errors", point.findings ? json::Value(point.findings->errors) : json::Value());
    one.set("warnings", point.findings ? json::Value(point.findings->warnings) : json::Value());
    out.push(std::move(one));
  }
  return out;
}

}  // namespace

json::Value report_data(const engine::ImageReport& report, Timestamp now) {
  json::Value out = engine::to_json(report.analyzed.analysis);
  json::Value cut = json::Value::object();
  cut_list(out, "findings", kFindingBytes, cut);
  cut_list(out, "rollups", kRollupBytes, cut);
  cut_list(out, "duplicates", kDuplicateBytes, cut);
  cut_list(out, "package_caches", kCacheBytes, cut);
  json::Value more = json::Value::object();
  more.set("version", kReportVersion);
  more.set("made", rfc3339(Timestamp::from_seconds(now.seconds())));
  more.set("cut", std::move(cut));
  more.set("tree", tree_json(report.tree.root));
  more.set("kinds", json::from(report.tree.kinds));
  more.set("owners", json::from(report.tree.owners));
  more.set("build", build_json(report));
  more.set("dockerfile", dockerfile_json(report));
  more.set("sizes", sizes_json(report));
  out.set("report", std::move(more));
  return out;
}

}  // namespace mica::cli
