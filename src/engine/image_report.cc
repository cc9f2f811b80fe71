#include "engine/image_report.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "engine/build_reports.h"
#include "engine/image_trend.h"
#include "engine/lint_files.h"
#include "engine/lint_measured.h"
#include "oci/digest.h"

namespace mica::engine {
namespace {

constexpr int kLookedAtBuilds = 300;
constexpr std::size_t kMeasuredSizes = 20, kShownSizes = 100;

Result<std::optional<build::BuildReport>> build_of(Engine& engine, const std::string& id) {
  const auto digest = oci::Digest::parse(id);
  if (!digest) return std::optional<build::BuildReport>();
  return build::Reports(engine.database()).of_image(digest->hex());
}

Result<bool> is_stored(Engine& engine, const std::string& id) {
  const auto digest = oci::Digest::parse(id);
  if (!digest) return false;
  const auto row = TRY(engine.images().find({*digest}));
  return row.has_value();
}

bool share_a_tag(const build::BuildReport& a, const build::BuildReport& b) {
  return std::ranges::any_of(a.tags, [&](const std::string& tag) { return std::ranges::find(b.tags, tag) != b.tags.end(); });
}

std::int64_t median(std::vector<std::int64_t> times) {
  if (times.empty()) return -1;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

/// Steps are the same when their text is.
Result<std::vector<StepRuns>> runs_of(Engine& engine, const build::BuildReport& build) {
  const auto reports = TRY(newest_reports(engine, kLookedAtBuilds));
  std::map<std::string_view, StepRuns> runs;
  std::map<std::string_view, std::vector<std::int64_t>> times;
  for (const auto& report : reports) {
    if (report.id > build.id || (report.id != build.id && !share_a_tag(report, build))) continue;
    for (const auto& step : report.steps) {
      if (step.record.empty() && step.outcome != build::Outcome::failed) continue;
      StepRuns& sum = runs[step.text];
      ++sum.builds;
      if (step.outcome == build::Outcome::cached) ++sum.hit;
      if (step.outcome != build::Outcome::done) continue;
      ++sum.ran;
      times[step.text].push_back(step.duration_ns);
    }
  }
  std::vector<StepRuns> out;
  for (const auto& step : build.steps) {
    StepRuns sum = runs[step.text];
    sum.median_ns = median(times[step.text]);
    out.push_back(sum);
  }
  return out;
}

/// An image that is in the store has a past, under the name by which it was asked for.
Result<> read_sizes(Engine& engine, ImageReport& report, task::Cancel cancel) {
  const bool stored = TRY(is_stored(engine, report.analyzed.analysis.id));
  if (!stored) return {};
  auto rows = image_trend(engine, {.name = report.analyzed.analysis.name, .shown = kMeasuredSizes}, std::move(cancel));
  if (!rows && (rows.error().code() == Errc::not_found || rows.error().code() == Errc::invalid_argument)) return {};
  if (!rows) return fail(std::move(rows).error());
  if (rows->size() > kShownSizes) rows->resize(kShownSizes);
  report.sizes.assign(std::make_move_iterator(rows->rbegin()), std::make_move_iterator(rows->rend()));
  return {};
}

Result<> read_dockerfile(Engine& engine, const ReportRequest& request, ImageReport& report, task::Cancel cancel) {
  LintRequest wanted;
  if (!request.dockerfile.empty()) wanted.files = {request.dockerfile};
  const auto settings = TRY(lint_settings(wanted));
  if (!request.dockerfile.empty()) {
    auto linted = TRY(lint_files(wanted, settings, cancel));
    report.dockerfile = std::move(linted.reports.front());
  } else if (report.build && !report.build->source.empty()) {
    report.dockerfile = lint::lint_text(report.build->dockerfile, report.build->source, settings.options);
    report.dockerfile_of_build = true;
  }
  // What the image tells about the lines. An image elsewhere would be read once more.
  const bool stored = TRY(is_stored(engine, report.analyzed.analysis.id));
  if (!report.dockerfile || !stored) return {};
  const MeasureRequest measure{.image = report.analyzed.analysis.id};
  TRY(add_measured_findings(engine, measure, *report.dockerfile, settings.options, cancel));
  return {};
}

}  // namespace

Result<ImageReport> report_image(Engine& engine, const ReportRequest& request, task::Cancel cancel) {
  ReadImage image = request.image;
  image.wanted = analyze::FileOwners::wants;
  ImageReport report;
  report.analyzed = TRY(analyze_image(engine, image, {.largest = request.largest}, cancel));
  analyze::FileOwners owners(report.analyzed.source.image);
  report.tree = analyze::file_tree(report.analyzed.source.image, owners, request.tree_bytes);
  report.build = TRY(build_of(engine, report.analyzed.analysis.id));
  if (report.build) report.runs = TRY(runs_of(engine, *report.build));
  TRY(read_sizes(engine, report, cancel));
  TRY(read_dockerfile(engine, request, report, std::move(cancel)));
  return report;
}

}  // namespace mica::engine
