#include "cli/build_pages.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/build_warnings.h"
#include "cli/table.h"

namespace mica::cli {
namespace {

/// The comment above a stage that begins with the stage's name describes it.
std::string description_of(const dockerfile::Stage& stage) {
  if (stage.name.empty() || stage.comments.empty()) return {};
  const auto pair = split_once(stage.comments.back(), ' ');
  return pair && equals_ignoring_case(pair->first, stage.name) ? std::string(trim(pair->second)) : std::string();
}

bool ends_unfinished(const build::ReportedStep& step) { return step.outcome == build::Outcome::cancelled; }

}  // namespace

std::string targets_page(const engine::BuildResult& result) {
  std::string rows = "TARGET\tDESCRIPTION\n";
  for (const auto& stage : result.file.stages) {
    const bool is_default = &stage == &result.file.stages.back();
    const std::string name = stage.name.empty() ? is_default ? "(default)" : "" : is_default ? stage.name + " (default)" : stage.name;
    rows += name + "\t" + description_of(stage) + "\n";
  }
  return align_columns(rows, {.least_width = 0, .padding = 1});
}

json::Value targets_record(const engine::BuildResult& result) {
  json::Value targets = json::Value::array();
  for (const auto& stage : result.file.stages) {
    json::Value target = json::Value::object();
    if (!stage.name.empty()) target.set("name", stage.name);
    if (&stage == &result.file.stages.back()) target.set("default", true);
    if (const std::string description = description_of(stage); !description.empty()) target.set("description", description);
    target.set("base", stage.base);
    target.set("location", location_record(stage.where));
    targets.push(std::move(target));
  }
  json::Value sources = json::Value::array();
  sources.push(base64(result.file.source));
  json::Value all = json::Value::object();
  all.set("targets", std::move(targets));
  all.set("sources", std::move(sources));
  return all;
}

std::string dry_run_page(const build::BuildReport& report) {
  std::string text;
  std::size_t runs = 0, unknown = 0;
  for (const auto& step : report.steps) {
    std::string_view what = "CACHED";
    if (ends_unfinished(step)) {
      what = step.reasons.empty() ? "UNKNOWN" : "WOULD RUN";
      ++(step.reasons.empty() ? unknown : runs);
    }
    text += format("{:<9}  #{} {}\n", what, step.number, step.title);
    if (!ends_unfinished(step)) continue;
    if (step.reasons.empty()) text += format("{:<9}    needs the result of a step that would run\n", "");
    for (const auto& reason : step.reasons) text += format("{:<9}    {}\n", "", reason);
  }
  return text + format("{} of {} steps cached, {} would run, {} unknown\n", report.steps.size() - runs - unknown, report.steps.size(), runs, unknown);
}

json::Value metadata_record(const engine::BuildResult& result, const MetadataStyle& style) {
  json::Value all = json::Value::object();
  if (result.report.id != 0) all.set("buildx.build.ref", format("default/default/{}", result.report.id));
  if (style.warnings && !result.warnings.empty()) {
    json::Value warnings = json::Value::array();
    for (const auto& warning : result.warnings) warnings.push(warning_record(warning, result.file.name, result.file.source));
    all.set("buildx.build.warnings", std::move(warnings));
  }
  if (!result.image_id.digest.empty()) all.set("containerimage.config.digest", result.image_id.digest.str());
  if (!result.manifest_digest.empty()) {
    json::Value descriptor = json::Value::object();
    descriptor.set("mediaType", style.index ? oci::kOciIndex : oci::kOciManifest);
    descriptor.set("digest", result.manifest_digest.str());
    descriptor.set("size", result.manifest_size);
    all.set("containerimage.descriptor", std::move(descriptor));
  }
  // Where the store keeps no manifest, the id is what names the image: Docker's classic store does the same.
  const oci::Digest& digest = result.manifest_digest.empty() ? result.image_id.digest : result.manifest_digest;
  if (!digest.empty()) all.set("containerimage.digest", digest.str());
  if (!result.names.empty()) all.set("image.name", join(result.names, ","));
  return all;
}

}  // namespace mica::cli
