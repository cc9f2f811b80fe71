#include "build/report.h"

#include "base/format.h"
#include "json/json.h"

namespace mica::build {
namespace {

constexpr int kKeptReports = 300;
constexpr Outcome kOutcomes[] = {Outcome::done, Outcome::cached, Outcome::failed, Outcome::cancelled};

json::Value to_json(const ReportedStep& step) {
  json::Value value = json::Value::object();
  value.set("number", step.number);
  value.set("title", step.title);
  value.set("text", step.text);
  value.set("line", step.line);
  value.set("outcome", name(step.outcome));
  value.set("reasons", json::from(step.reasons));
  value.set("started_ns", step.started_ns);
  value.set("duration_ns", step.duration_ns);
  value.set("record", step.record);
  value.set("layer", step.layer);
  value.set("log", step.log.hex());
  return value;
}

ReportedStep step_from(const json::Value& value) {
  ReportedStep step{.number = static_cast<int>(value.int_or("number")), .title = value.string_or("title"), .text = value.string_or("text"),
                    .line = static_cast<int>(value.int_or("line"))};
  for (const Outcome outcome : kOutcomes)
    if (name(outcome) == value.string_or("outcome")) step.outcome = outcome;
  step.reasons = value.strings("reasons");
  step.started_ns = value.int_or("started_ns", -1);
  step.duration_ns = value.int_or("duration_ns");
  step.record = value.string_or("record");
  step.layer = value.string_or("layer");
  if (const std::string log = value.string_or("log"); log.size() == 64) step.log = oci::Digest::from_hex(log);
  return step;
}

std::string write(const BuildReport& report) {
  json::Value value = json::Value::object();
  value.set("dockerfile", report.dockerfile);
  if (report.source.size() <= kMaxKeptSource) value.set("source", report.source);
  value.set("context", report.context);
  value.set("target", report.target);
  value.set("error", report.error);
  value.set("tags", json::from(report.tags));
  value.set("duration_ns", report.duration_ns);
  json::Value steps = json::Value::array();
  for (const auto& step : report.steps) steps.push(to_json(step));
  value.set("steps", std::move(steps));
  return json::write(value);
}

Result<BuildReport> read(const db::Statement& row) {
  const auto value = TRY_DOING(json::parse(row.text(3)), "reading a build report");
  BuildReport report{.id = row.integer(0), .image = row.text(1), .dockerfile = value.string_or("dockerfile"), .context = value.string_or("context"),
                     .target = value.string_or("target"), .error = value.string_or("error"), .source = value.string_or("source"), .tags = value.strings("tags"),
                     .started = {row.integer(2)}, .duration_ns = value.int_or("duration_ns")};
  if (const auto* steps = value.find("steps"); steps && steps->is_array())
    for (const auto& step : steps->as_array()) report.steps.push_back(step_from(step));
  return report;
}

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::done: return "done";
    case Outcome::cached: return "cached";
    case Outcome::failed: return "failed";
    case Outcome::cancelled: return "cancelled";
  }
  return "";
}

Result<std::int64_t> Reports::put(const BuildReport& report) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  std::int64_t id = 0;
  {
    auto insert = TRY(database->prepare("INSERT INTO build_report(image, started_ns, report) VALUES (?, ?, ?)"));
    TRY(insert.bind(report.image).bind(report.started.ns).bind_blob(write(report)).run());
    id = database->last_row_id();
    auto drop = TRY(database->prepare("DELETE FROM build_report WHERE id <= ?"));
    TRY(drop.bind(id - kKeptReports).run());
  }
  TRY(std::move(transaction).commit());
  return id;
}

Result<std::optional<BuildReport>> Reports::of_image(const std::string& image) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT id, image, started_ns, report FROM build_report WHERE image = ? ORDER BY id DESC LIMIT 1"));
  row.bind(image);
  const bool found = TRY(row.step());
  if (!found) return std::optional<BuildReport>();
  auto report = TRY(read(row));
  return std::optional(std::move(report));
}

Result<std::optional<BuildReport>> Reports::numbered(std::int64_t id) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT id, image, started_ns, report FROM build_report WHERE id = ?"));
  row.bind(id);
  const bool found = TRY(row.step());
  if (!found) return std::optional<BuildReport>();
  auto report = TRY(read(row));
  return std::optional(std::move(report));
}

Result<std::vector<BuildReport>> Reports::newest(int limit) {
  std::vector<BuildReport> reports;
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT id, image, started_ns, report FROM build_report ORDER BY id DESC LIMIT ?"));
  rows.bind(limit);
  while (TRY(rows.step())) {
    auto report = TRY(read(rows));
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace mica::build
