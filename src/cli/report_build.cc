// Seconds and lines: the build's timeline, the Dockerfile with its findings, the sizes over time.
#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "cli/analyze_page.h"
#include "cli/progress_text.h"
#include "cli/report_html.h"
#include "cli/report_parts.h"
#include "lint/inspection.h"
#include "lint/rule.h"

namespace mica::cli {
namespace {

using Cell = HtmlTable::Cell;
using Align = HtmlTable::Align;

constexpr int kMostShownLines = 3000;
constexpr std::int64_t kShownStep = 100'000'000;   ///< ns; what takes less is not worth a word

struct OutcomeLook {
  const char *word, *kind;
};
OutcomeLook look(build::Outcome outcome) {
  switch (outcome) {
    case build::Outcome::done: return {"ran", "ran"};
    case build::Outcome::cached: return {"cached", "hit"};
    case build::Outcome::failed: return {"failed", "bad"};
    case build::Outcome::cancelled: return {"not needed", "hit"};
  }
  return {"", ""};
}

std::string reasons_html(const std::vector<std::string>& reasons) {
  if (reasons.empty()) return {};
  if (reasons.size() == 1) return "<span class=\"clip\">" + escaped(reasons[0]) + "</span>";
  std::string out = format("<details><summary>{}</summary><ul>", escaped(reasons[0]));
  for (std::size_t i = 1; i < reasons.size(); ++i) out += "<li>" + escaped(reasons[i]) + "</li>";
  return out + "</ul></details>";
}

std::string runs_html(const engine::StepRuns& runs) {
  if (runs.builds < 2) return {};
  std::string out = format("ran in {} of {} builds", runs.ran, runs.builds);
  if (runs.median_ns >= 0) out += format(", median {}", shown_seconds(runs.median_ns));
  return out;
}

/// A step's bar on the build's time.
std::string step_bar(const build::BuildReport& build, const build::ReportedStep& step) {
  if (step.started_ns < 0 || build.duration_ns <= 0) return {};
  const double all = static_cast<double>(build.duration_ns);
  const std::string words = format("{} after {}, took {}", look(step.outcome).word, shown_seconds(step.started_ns), shown_seconds(step.duration_ns));
  const double start = std::min(1.0, static_cast<double>(step.started_ns) / all);
  return bar(start, {{std::max(0.001, std::min(1 - start, static_cast<double>(step.duration_ns) / all)), look(step.outcome).kind}}, words);
}

/// Of the step's run in this build, else in those before.
std::int64_t seconds_of(const engine::ImageReport& report, const analyze::LayerReport& layer) {
  if (layer.duration_ns >= 0 || !report.build) return layer.duration_ns;
  for (std::size_t i = 0; i < std::min(report.runs.size(), report.build->steps.size()); ++i)
    if (report.build->steps[i].line == layer.line) return report.runs[i].median_ns;
  return -1;
}

/// What a line costs: bytes of its layer and seconds of its step.
std::map<int, std::string> costs(const engine::ImageReport& report) {
  std::map<int, std::string> out;
  for (const auto& layer : report.analyzed.analysis.layers) {
    if (layer.line <= 0) continue;
    std::string& text = out[layer.line];
    if (layer.bytes > 0) text += format("<a class=\"chip\" href=\"#layer-{}\">{}</a>", layer.index, shown_size(layer.bytes));
    if (layer.wasted_bytes > 0) text += format("<span class=\"chip dead\">{} dead</span>", shown_size(layer.wasted_bytes));
    if (const auto ns = seconds_of(report, layer); ns >= kShownStep) text += format("<span class=\"chip\">{}</span>", shown_seconds(ns));
  }
  return out;
}

std::string finding_html(const lint::Finding& finding) {
  const auto severity = lint::severity_name(finding.severity);
  std::string out = format("<details class=\"finding {}\"><summary><span class=\"tag {}\">{}</span> <b title=\"{}\">{}</b> {}", severity, severity, severity, escaped(finding.rule->summary),
                           escaped(finding.rule->id), escaped(finding.message));
  if (finding.bytes) out += format(" <span class=\"chip\">{}</span>", human_size(*finding.bytes));
  if (finding.seconds) out += format(" <span class=\"chip\">{}</span>", shown_seconds(static_cast<std::int64_t>(*finding.seconds * 1e9)));
  out += format("</summary><p>{}</p><p>{}</p>", escaped(finding.rule->why), escaped(finding.rule->practice));
  if (finding.fix) out += format("<p><b>Fix:</b> {}{}</p>", escaped(finding.fix->title), finding.fix->kind == lint::FixKind::safe ? " (<code>mica lint --fix</code>)" : "");
  return out + "</details>";
}

std::string error_html(const dockerfile::Diagnostic& error) {
  return format("<div class=\"finding error\"><span class=\"tag error\">error</span> {}</div>", escaped(error.message));
}

std::string code_line(std::string_view text) {
  const std::string shown = escaped(replace_all(std::string(trim_right(text, "\r\n")), "\t", "    "));
  return format("<code>{}</code>", trim(text).starts_with('#') ? "<i>" + shown + "</i>" : shown);
}

}  // namespace

ReportSection build_section(const engine::ImageReport& report) {
  if (!report.build) return {"build", "Build", ""};
  const build::BuildReport& build = *report.build;
  HtmlTable table("build-table", "Steps of the build", {{"#", Align::number}, {"Step", Align::wide}, {"Result"}, {"Took", Align::number}, {"When", Align::wide}, {"Why", Align::wide, false}});
  for (std::size_t i = 0; i < build.steps.size(); ++i) {
    const auto& step = build.steps[i];
    std::string what = clipped(step.title);
    if (step.line > 0) what += report.dockerfile_of_build ? format(" <a class=\"quiet\" href=\"#line-{0}\">line {0}</a>", step.line) : format(" <span class=\"quiet\">line {}</span>", step.line);
    std::string why = reasons_html(step.reasons);
    if (const std::string runs = i < report.runs.size() ? runs_html(report.runs[i]) : ""; !runs.empty()) why += format("<div class=\"quiet\">{}</div>", runs);
    table.row({{std::to_string(step.number), step.number}, {what}, {format("<span class=\"tag {}\">{}</span>", look(step.outcome).kind, look(step.outcome).word)},
               {shown_seconds(step.duration_ns), step.duration_ns}, {step_bar(build, step), step.started_ns}, {why}},
              format(" id=\"step-{}\"", step.number));
  }
  const auto count = [&](build::Outcome outcome) { return std::ranges::count_if(build.steps, [&](const auto& step) { return step.outcome == outcome; }); };
  std::string text = format("<p>Build {} began <time datetime=\"{}\">{}</time> and took {}: {} steps ran, {} were cached. {}, {}{}</p>", build.id, rfc3339(build.started),
                            docker_time(Timestamp::from_seconds(build.started.seconds())), shown_seconds(build.duration_ns), count(build::Outcome::done), count(build::Outcome::cached),
                            escaped(build.context), code(build.dockerfile), build.target.empty() ? "" : ", target " + code(build.target));
  return {"build", "Build", text + table.str()};
}

ReportSection dockerfile_section(const engine::ImageReport& report) {
  if (!report.dockerfile) return {"dockerfile", "Dockerfile", ""};
  const lint::Report& file = *report.dockerfile;
  const lint::LineIndex lines(file.source);
  std::map<int, std::string> notes;
  std::size_t found = 0, hidden = 0;
  for (const auto& error : file.errors) notes[error.where.line] += error_html(error);
  for (const auto& finding : file.findings) {
    if (!finding.suppressed_by.empty()) { ++hidden; continue; }
    ++found;
    notes[lines.position(finding.where.begin).line] += finding_html(finding);
  }
  const auto cost = report.dockerfile_of_build ? costs(report) : std::map<int, std::string>();
  std::string text = format("<p>{}, {}: {} {}{}{}.</p>", code(file.file), report.dockerfile_of_build ? "as it was built" : "as it is now", found, found == 1 ? "finding" : "findings",
                            hidden > 0 ? format(", {} hidden by comments", hidden) : "",
                            file.errors.empty() ? "" : format(", {} syntax {}", file.errors.size(), file.errors.size() == 1 ? "error" : "errors"));
  text += "<ol class=\"source\">";
  std::string rest;
  for (const auto& [line, html] : notes)
    if (line < 1) text += "<li class=\"whole\" value=\"0\">" + html + "</li>";
  int last = lines.count();
  if (last > 1 && lines.line(last).begin == lines.line(last).end) --last;
  for (int line = 1; line <= std::min(last, kMostShownLines); ++line) {
    const auto span = lines.line(line);
    const auto chips = cost.find(line);
    const auto note = notes.find(line);
    text += format("<li id=\"line-{0}\" value=\"{0}\"><div class=\"line\">{1}{2}</div>{3}</li>\n", line, code_line(std::string_view(file.source).substr(span.begin, span.end - span.begin)),
                   chips == cost.end() || chips->second.empty() ? "" : "<span class=\"chips\">" + chips->second + "</span>", note == notes.end() ? "" : note->second);
  }
  text += "</ol>";
  if (last > kMostShownLines) text += format("<p>and {} more lines</p>", last - kMostShownLines);
  return {"dockerfile", "Dockerfile", text};
}

ReportSection sizes_section(const engine::ImageReport& report) {
  const auto& points = report.sizes;
  if (points.size() < 2) return {"sizes", "Size over time", ""};
  const auto bytes_of = [](const engine::TrendRow& row) { return static_cast<std::uint64_t>(row.bytes); };
  std::uint64_t most = 1;
  for (const auto& point : points) most = std::max(most, bytes_of(point));
  const auto x = [&](std::size_t i) { return 1 + 98.0 * static_cast<double>(i) / static_cast<double>(points.size() - 1); };
  const auto y = [&](const engine::TrendRow& row) { return 96 - 90.0 * static_cast<double>(row.bytes) / static_cast<double>(most); };
  const auto moment = [](const engine::TrendRow& row) { return docker_time(Timestamp::from_seconds(row.since.seconds())).substr(0, 16); };
  std::string chart = format("<svg class=\"chart\" width=\"100%\" height=\"110\" role=\"img\" aria-label=\"From {} to {} in {} images\">", shown_size(bytes_of(points.front())),
                             shown_size(bytes_of(points.back())), points.size());
  for (std::size_t i = 1; i < points.size(); ++i)
    chart += format("<line x1=\"{:.2f}%\" y1=\"{:.2f}%\" x2=\"{:.2f}%\" y2=\"{:.2f}%\"/>", x(i - 1), y(points[i - 1]), x(i), y(points[i]));
  for (std::size_t i = 0; i < points.size(); ++i)
    chart += format("<circle cx=\"{:.2f}%\" cy=\"{:.2f}%\" r=\"4\"><title>{}: {}</title></circle>", x(i), y(points[i]), moment(points[i]), shown_size(bytes_of(points[i])));
  chart += format("</svg><p class=\"quiet ends\"><span>{}</span><span>{}</span></p>", moment(points.front()), moment(points.back()));
  HtmlTable table("sizes-table", "Images that this name stood for, the newest first",
                  {{"Since"}, {"Bytes", Align::number}, {"Change", Align::number}, {"Layers", Align::number}, {"Waste", Align::number}, {"Build", Align::number}, {"Findings", Align::number}, {"Image", Align::wide}});
  for (std::size_t i = points.size(); i-- > 0;) {
    const auto& point = points[i];
    const std::int64_t change = i == 0 ? 0 : point.bytes - points[i - 1].bytes;
    std::vector<Cell> cells{{format("<time datetime=\"{}\">{}</time>", rfc3339(point.since), moment(point)), point.since.ns}, {human_size(point.bytes), point.bytes}};
    cells.push_back({change == 0 ? "" : format("{}{}", change > 0 ? "+" : "−", human_size(std::abs(change))), change});
    cells.push_back({std::to_string(point.layers), point.layers});
    cells.push_back({point.waste ? human_size(*point.waste) : "", point.waste.value_or(-1)});
    cells.push_back({point.build ? shown_seconds(point.build->duration_ns) : "", point.build ? point.build->duration_ns : -1});
    cells.push_back({point.findings ? format("{} + {}", point.findings->errors, point.findings->warnings) : "", point.findings ? point.findings->errors * 1'000'000 + point.findings->warnings : -1});
    cells.push_back({code(point.image.digest.hex().substr(0, 12))});
    table.row(cells);
  }
  return {"sizes", "Size over time", chart + table.str() + "<p class=\"quiet\">Findings: errors + warnings of the linter.</p>"};
}

}  // namespace mica::cli
