#include "engine/image_trend.h"

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/analyze_image.h"
#include "engine/filters.h"
#include "engine/lint_files.h"
#include "lint/output.h"

namespace mica::engine {
namespace {

/// An image with more entries than that is not looked at when it goes: it would be felt.
constexpr std::int64_t kMostEntries = 30'000;

Result<> add_build(Engine& engine, const build::BuildReport& report, const oci::ImageId& image, const std::vector<std::string>& build_args) {
  std::vector<oci::Reference> names;
  for (const auto& tag : report.tags) {
    auto name = TRY(oci::Reference::parse(tag));
    names.push_back(std::move(name));
  }
  TrendTable table(engine.database());
  const auto rows = TRY(table.without_build(image, names));
  if (rows.empty()) return {};
  TrendRow::Build build{.duration_ns = report.duration_ns};
  for (const auto& step : report.steps) {
    if (step.record.empty()) continue;
    if (step.outcome == build::Outcome::done) ++build.run;
    else if (step.outcome == build::Outcome::cached) ++build.cached;
  }
  std::optional<TrendRow::Findings> findings;
  if (const auto settings = lint_settings({.build_args = build_args}); settings && !report.source.empty()) {
    const auto linted = lint::lint_text(report.dockerfile, report.source, settings->options);
    const auto count = lint::count_findings(std::span(&linted, 1));
    findings = TrendRow::Findings{static_cast<std::int64_t>(count.errors), static_cast<std::int64_t>(count.warnings)};
  }
  for (const auto& row : rows) TRY(table.set_build(row.number, build, findings));
  return {};
}

Result<> add_waste(Engine& engine, const oci::ImageId& id, task::Cancel cancel) {
  const auto analyzed = TRY(analyze_image(engine, {.what = id.digest.str(), .base = "none"}, {.largest = 0}, std::move(cancel)));
  return TrendTable(engine.database()).set_waste(id, static_cast<std::int64_t>(analyzed.analysis.waste.bytes));
}

Result<> add_waste_before_removal(Engine& engine, const store::ImageRow& image) {
  const bool lacks = TRY(TrendTable(engine.database()).lacks_waste(image.id));
  if (!lacks) return {};
  const auto report = TRY(build::Reports(engine.database()).of_image(image.id.digest.hex()));
  if (!report) return {};
  std::int64_t entries = 0;
  for (const auto& layer : image.layers) {
    const auto info = TRY(engine.layers().info(layer));
    entries += info.entries;
  }
  if (entries > kMostEntries) return {};
  return add_waste(engine, image.id, {});
}

/// Rows of the name that `request` means.
Result<std::vector<TrendRow>> rows_of(Engine& engine, const TrendRequest& request) {
  TrendTable table(engine.database());
  auto name = oci::Reference::parse(request.name, !request.all_tags);
  if (name && request.all_tags && !(name->tag.empty() && name->digest.empty())) return fail(Errc::invalid_argument, "tag can't be used with --all-tags/-a");
  if (name && name->digest.empty()) {
    auto rows = TRY(table.list(*name, 0));
    if (!rows.empty()) return rows;
  }
  const auto image = engine.images().resolve(request.name);
  if (image) {
    const auto names = TRY(engine.images().names_of(image->id));
    for (oci::Reference own : names) {
      if (request.all_tags) own.tag.clear();
      auto rows = TRY(table.list(own, 0));
      if (!rows.empty()) return rows;
    }
  }
  Error error(Errc::not_found, format("no image is remembered under {}", quoted(name ? name->familiar() : request.name)));
  if (!image && !image.error().hint().empty()) return fail(std::move(error).with_hint(image.error().hint()));
  return fail(std::move(error).with_hint("a name is remembered from when 'build', 'pull', 'load' or 'tag' gives it to an image"));
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

void remember_names(Engine& engine, const store::ImageRow& image, const std::vector<oci::Reference>& names) {
  if (auto done = TrendTable(engine.database()).name(image, names); !done) log::debug("remembering names: {}", done.error().text());
}

void remember_build(Engine& engine, const build::BuildReport& report, const oci::ImageId& image, const std::vector<std::string>& build_args) {
  if (report.tags.empty()) return;
  if (auto done = add_build(engine, report, image, build_args); !done) log::debug("remembering a build: {}", done.error().text());
}

void remember_waste(Engine& engine, const store::ImageRow& image) {
  if (auto done = add_waste_before_removal(engine, image); !done) log::debug("remembering waste: {}", done.error().text());
}

Result<std::vector<TrendRow>> image_trend(Engine& engine, const TrendRequest& request, task::Cancel cancel) {
  auto rows = TRY(rows_of(engine, request));
  for (std::size_t i = 0; i < rows.size() && (request.shown == 0 || i < request.shown); ++i) {
    const TrendRow row = rows[i];
    if (row.waste) continue;
    TRY(cancel.check());
    const auto found = TRY(engine.images().find(row.image));
    if (!found) continue;
    const auto analyzed = analyze_image(engine, {.what = row.image.digest.str(), .base = "none"}, {.largest = 0}, cancel);
    if (!analyzed) {
      log::debug("working out waste: {}", analyzed.error().text());
      continue;
    }
    const auto waste = static_cast<std::int64_t>(analyzed->analysis.waste.bytes);
    for (auto& same : rows)
      if (same.image == row.image) same.waste = waste;
    // A store that can only be read tells it all the same.
    if (auto kept = TrendTable(engine.database()).set_waste(row.image, waste); !kept) log::debug("remembering waste: {}", kept.error().text());
  }
  return rows;
}

Result<std::optional<TrendRow>> trend_baseline(Engine& engine, const std::vector<TrendRow>& rows, const std::string& against) {
  const TrendRow& newest = rows.front();
  const auto find = [&](auto matches) {
    const auto found = std::ranges::find_if(rows, matches);
    return found == rows.end() ? std::optional<TrendRow>() : std::optional(*found);
  };
  if (against.empty()) return find([&](const TrendRow& row) { return row.image != newest.image; });
  const std::string_view id = against.starts_with("sha256:") ? std::string_view(against).substr(7) : against;
  if (is_hex(id) && id.size() >= 4)
    if (auto row = find([&](const TrendRow& one) { return one.image.digest.hex().starts_with(id); })) return row;
  if (const auto name = oci::Reference::parse(against); name && name->digest.empty()) {
    auto other = TRY(TrendTable(engine.database()).list(*name, 1));
    if (!other.empty()) return std::optional(std::move(other.front()));
  }
  const auto time = parse_until(against, now());
  if (time) return find([&](const TrendRow& row) { return row.since <= *time; });
  return failf(Errc::not_found, "{} is no image of this trend, no name that is remembered, and no time (24h, 2026-03-01, RFC 3339)", quoted(against));
}

bool grew_beyond(const TrendRow& before, const TrendRow& now, const analyze::Amount& allowed) {
  if (now.bytes <= before.bytes) return false;
  const auto growth = static_cast<std::uint64_t>(now.bytes - before.bytes);
  if (allowed.share) return static_cast<double>(growth) > *allowed.share * static_cast<double>(before.bytes);
  return growth > allowed.bytes;
}

}  // namespace mica::engine
