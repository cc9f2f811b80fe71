#include "engine/analyze_json.h"

namespace mica::engine {
namespace {

json::Value count(std::size_t number) { return json::Value(static_cast<std::uint64_t>(number)); }
/// null: not known.
json::Value known(std::int64_t number) { return number < 0 ? json::Value() : json::Value(number); }
std::string absolute(const std::string& path) { return "/" + path; }

json::Value to_json_part(const analyze::LayerReport& layer) {
  json::Value out = json::Value::object();
  out.set("index", count(layer.index));
  out.set("created_by", layer.created_by);
  out.set("bytes", layer.bytes);
  out.set("wasted_bytes", layer.wasted_bytes);
  out.set("hidden_bytes", layer.hidden_bytes);
  out.set("changed_bytes", layer.changed_bytes);
  out.set("duplicate_bytes", layer.duplicate_bytes);
  out.set("package_cache_bytes", layer.package_cache_bytes);
  out.set("compressed_bytes", known(layer.compressed_bytes));
  out.set("files", layer.files);
  out.set("directories", layer.directories);
  out.set("symlinks", layer.symlinks);
  out.set("others", layer.others);
  out.set("added_files", layer.added_files);
  out.set("changed_files", layer.changed_files);
  out.set("removed_paths", layer.removed_paths);
  out.set("inherited", layer.inherited);
  out.set("instruction", layer.instruction);
  out.set("line", layer.line > 0 ? json::Value(layer.line) : json::Value());
  out.set("duration_ns", known(layer.duration_ns));
  out.set("diff_id", layer.diff_id);
  out.set("digest", layer.digest);
  return out;
}

json::Value to_json_part(const analyze::Finding& finding) {
  json::Value out = json::Value::object();
  out.set("kind", analyze::name(finding.kind));
  out.set("path", absolute(finding.path));
  out.set("bytes", finding.bytes);
  out.set("added_layer", count(finding.added_layer));
  out.set("hidden_by_layer", count(finding.hidden_by_layer));
  out.set("inherited", finding.inherited);
  out.set("same_content", finding.same_content);
  out.set("changed", json::from(analyze::names(finding.changed)));
  return out;
}

json::Value to_json_part(const analyze::Rollup& rollup) {
  json::Value out = json::Value::object();
  out.set("kind", analyze::name(rollup.kind));
  out.set("path", absolute(rollup.path));
  out.set("directory", rollup.is_directory);
  out.set("bytes", rollup.bytes);
  out.set("files", rollup.files);
  out.set("added_layer", count(rollup.added_layer));
  out.set("hidden_by_layer", count(rollup.hidden_by_layer));
  out.set("inherited", rollup.inherited);
  out.set("same_content", rollup.same_content);
  out.set("changed", json::from(analyze::names(rollup.changed)));
  return out;
}

json::Value to_json_part(const analyze::Duplicates& group) {
  json::Value out = json::Value::object();
  out.set("bytes", group.bytes);
  out.set("size", group.size);
  out.set("copies", group.copies);
  json::Value paths = json::Value::array();
  for (std::size_t i = 0; i < group.paths.size(); ++i) {
    json::Value one = json::Value::object();
    one.set("path", absolute(group.paths[i]));
    one.set("layer", count(group.layers[i]));
    paths.push(std::move(one));
  }
  out.set("paths", std::move(paths));
  return out;
}

json::Value to_json_part(const analyze::PackageCache& cache) {
  json::Value out = json::Value::object();
  out.set("manager", cache.manager);
  out.set("path", absolute(cache.path));
  out.set("layer", count(cache.layer));
  out.set("bytes", cache.bytes);
  out.set("files", cache.files);
  out.set("dead_bytes", cache.dead_bytes);
  out.set("remedy", cache.remedy);
  return out;
}

json::Value to_json_part(const analyze::FileKind& kind) {
  json::Value out = json::Value::object();
  out.set("name", kind.name);
  out.set("bytes", kind.bytes);
  out.set("files", kind.files);
  return out;
}

json::Value to_json_part(const analyze::Breach& breach) {
  json::Value out = json::Value::object();
  out.set("limit", breach.limit);
  out.set("text", breach.text);
  return out;
}

json::Value sized(const std::vector<analyze::SizedPath>& paths, bool are_files) {
  json::Value out = json::Value::array();
  for (const auto& one : paths) {
    json::Value value = json::Value::object();
    value.set("path", absolute(one.path));
    value.set("bytes", one.bytes);
    if (are_files) value.set("layer", count(one.layer));
    else value.set("files", one.files);
    out.push(std::move(value));
  }
  return out;
}

json::Value to_json_part(const analyze::Waste& waste) {
  json::Value out = json::Value::object();
  out.set("bytes", waste.bytes);
  out.set("deleted_bytes", waste.deleted_bytes);
  out.set("overwritten_bytes", waste.overwritten_bytes);
  out.set("same_content_bytes", waste.same_content_bytes);
  out.set("reclaimable_bytes", waste.reclaimable_bytes);
  out.set("inherited_bytes", waste.inherited_bytes);
  out.set("files", waste.files);
  out.set("compressed_bytes_estimate", known(waste.compressed_bytes));
  return out;
}

json::Value to_json_part(const analyze::Dive& dive) {
  json::Value out = json::Value::object();
  out.set("efficiency", dive.efficiency);
  out.set("wasted_bytes", dive.wasted_bytes);
  out.set("user_bytes", dive.user_bytes);
  out.set("wasted_user_percent", dive.wasted_user_percent);
  return out;
}

json::Value to_json_part(const analyze::Base& base) {
  json::Value out = json::Value::object();
  out.set("layers", count(base.layers));
  out.set("name", base.name);
  out.set("digest", base.digest);
  out.set("known_by", analyze::name(base.how));
  return out;
}

template <class T>
json::Value list(const std::vector<T>& items) {
  json::Value out = json::Value::array();
  for (const auto& item : items) out.push(to_json_part(item));
  return out;
}

}  // namespace

json::Value to_json(const analyze::Analysis& analysis, const std::vector<analyze::Breach>& breaches) {
  json::Value out = json::Value::object();
  out.set("version", kAnalysisVersion);
  out.set("name", analysis.name);
  out.set("id", analysis.id);
  out.set("digest", analysis.digest);
  out.set("platform", analysis.platform);
  out.set("base", to_json_part(analysis.base));
  out.set("total_bytes", analysis.total_bytes);
  out.set("live_bytes", analysis.live_bytes);
  out.set("compressed_bytes", known(analysis.compressed_bytes));
  out.set("efficiency", analysis.efficiency);
  out.set("files", analysis.files);
  out.set("live_files", analysis.live_files);
  out.set("waste", to_json_part(analysis.waste));
  out.set("duplicate_bytes", analysis.duplicate_bytes);
  out.set("package_cache_bytes", analysis.package_cache_bytes);
  out.set("sparse_log_bytes", analysis.sparse_log_bytes);
  out.set("dive", to_json_part(analysis.dive));
  out.set("layers", list(analysis.layers));
  out.set("findings", list(analysis.findings));
  out.set("rollups", list(analysis.rollups));
  out.set("duplicates", list(analysis.duplicates));
  out.set("package_caches", list(analysis.package_caches));
  out.set("largest_files", sized(analysis.largest_files, true));
  out.set("largest_directories", sized(analysis.largest_directories, false));
  out.set("kinds", list(analysis.kinds));
  out.set("breaches", list(breaches));
  return out;
}

}  // namespace mica::engine
