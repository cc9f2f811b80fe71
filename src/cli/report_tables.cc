// Bytes: layers, waste, caches, duplicates, what is largest.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/analyze_page.h"
#include "cli/progress_text.h"
#include "cli/report_html.h"
#include "cli/report_parts.h"

namespace mica::cli {
namespace {

using analyze::Analysis;
using Cell = HtmlTable::Cell;
using Align = HtmlTable::Align;

constexpr std::size_t kShownPlaces = 100, kShownGroups = 50, kShownPaths = 4;

Cell bytes_cell(std::uint64_t bytes, bool show_zero = true) {
  return {bytes == 0 && !show_zero ? "" : shown_size(bytes), static_cast<std::int64_t>(bytes)};
}
Cell known_bytes(std::int64_t bytes) { return {bytes < 0 ? "" : human_size(bytes), bytes}; }
Cell count_cell(std::uint64_t count) { return {std::to_string(count), static_cast<std::int64_t>(count)}; }
std::string files(std::uint64_t count) { return format("{} {}", count, count == 1 ? "file" : "files"); }

/// Where it is: a link for the script, to what is there in the end.
std::string path_html(const std::string& path) { return format("<a href=\"{}\">{}</a>", path_link("/" + path), code("/" + path)); }

std::string line_link(const engine::ImageReport& report, int line) {
  if (line <= 0) return {};
  return report.dockerfile ? format("<a href=\"#line-{0}\">{0}</a>", line) : std::to_string(line);
}

/// Layers summed to one.
analyze::LayerReport sum_of(const Analysis& analysis, std::size_t count) {
  analyze::LayerReport sum{.compressed_bytes = 0};
  for (std::size_t i = 0; i < count; ++i) {
    const auto& layer = analysis.layers[i];
    sum.bytes += layer.bytes;
    sum.wasted_bytes += layer.wasted_bytes;
    sum.hidden_bytes += layer.hidden_bytes;
    sum.files += layer.files;
    sum.compressed_bytes = sum.compressed_bytes < 0 || layer.compressed_bytes < 0 ? -1 : sum.compressed_bytes + layer.compressed_bytes;
  }
  return sum;
}

class LayerRows {
 public:
  LayerRows(const engine::ImageReport& report, HtmlTable& table) : report_(report), table_(table) {
    const Analysis& analysis = report.analyzed.analysis;
    most_ = sum_of(analysis, std::min(analysis.base.layers, analysis.layers.size())).bytes;
    for (const auto& layer : analysis.layers) {
      most_ = std::max(most_, layer.bytes);
      if (layer.compressed_bytes >= 0) compressed = true;
      if (layer.duration_ns >= 0) times = true;
    }
  }
  void add(std::string number, std::int64_t order, const analyze::LayerReport& layer, std::string what, std::string_view attributes) {
    const double all = most_ == 0 ? 1 : static_cast<double>(most_);
    const std::string words = format("{} added, {} of them dead", shown_size(layer.bytes), shown_size(layer.wasted_bytes));
    std::vector<Cell> cells{{std::move(number), order}, {line_link(report_, layer.line), layer.line}, {std::move(what)}};
    cells.push_back({bar(0, {{static_cast<double>(layer.bytes - layer.wasted_bytes) / all, "live"}, {static_cast<double>(layer.wasted_bytes) / all, "dead"}}, words),
                     static_cast<std::int64_t>(layer.bytes)});
    cells.push_back(bytes_cell(layer.bytes));
    cells.push_back(bytes_cell(layer.wasted_bytes, false));
    cells.push_back(bytes_cell(layer.hidden_bytes, false));
    cells.push_back(count_cell(layer.files));
    if (compressed) cells.push_back(known_bytes(layer.compressed_bytes));
    if (times) cells.push_back({layer.duration_ns >= 0 ? shown_seconds(layer.duration_ns) : "", layer.duration_ns});
    table_.row(cells, attributes);
  }
  static std::vector<HtmlTable::Column> columns(const Analysis& analysis) {
    std::vector<HtmlTable::Column> columns{{"#", Align::number}, {"Line", Align::number}, {"Instruction", Align::wide}, {"Live and dead", Align::wide}, {"Adds", Align::number},
                                           {"Dead", Align::number}, {"Hides", Align::number}, {"Files", Align::number}};
    if (std::ranges::any_of(analysis.layers, [](const auto& layer) { return layer.compressed_bytes >= 0; })) columns.push_back({"To pull", Align::number});
    if (std::ranges::any_of(analysis.layers, [](const auto& layer) { return layer.duration_ns >= 0; })) columns.push_back({"Last run", Align::number});
    return columns;
  }

 private:
  const engine::ImageReport& report_;
  HtmlTable& table_;
  std::uint64_t most_ = 0;
  bool compressed = false, times = false;
};

std::string what_happened(const analyze::Rollup& one) {
  if (!one.same_content) return one.kind == analyze::DeadKind::deleted ? "deleted" : "overwritten";
  const auto changed = analyze::names(one.changed);
  return changed.empty() ? "stored again, unchanged" : "stored again for its " + join(changed, " and ");
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

}  // namespace

std::string layer_links(const engine::ImageReport& report, std::size_t layer) {
  const auto& layers = report.analyzed.analysis.layers;
  const std::string text = format("<a href=\"#layer-{0}\">layer {0}</a>", layer);
  if (layer >= layers.size() || layers[layer].line <= 0) return text;
  return format("<span class=\"whole\">{}, line {}</span>", text, line_link(report, layers[layer].line));
}

std::string remedy(const engine::ImageReport& report, const analyze::Rollup& one) {
  const auto& layers = report.analyzed.analysis.layers;
  const auto& from = layers[one.added_layer];
  const auto step = [&](std::size_t layer) { return layers[layer].line > 0 ? format("line {}", layers[layer].line) : format("layer {}", layer); };
  const bool copied = starts_with_any(from.instruction, {"COPY", "ADD"});
  if (one.inherited) return "It is the base image's: a newer or smaller base may not have it.";
  if (one.same_content && !analyze::names(one.changed).empty()) {
    const bool rights = one.changed.owner || one.changed.mode;
    if (copied && rights) return format("Give {} --{}, instead of changing it afterwards.", step(one.added_layer), one.changed.owner ? "chown=…" : "chmod=…");
    return format("Set its {} in {}, where it is written.", join(analyze::names(one.changed), " and "), step(one.added_layer));
  }
  if (one.same_content) return format("Store it once: {} and {} bring the same bytes.", step(one.added_layer), step(one.hidden_by_layer));
  if (one.kind == analyze::DeadKind::overwritten) return format("Write it once: leave it out of {}, or make the final form there.", step(one.added_layer));
  if (copied) return format("Do not copy it in {}: name it in .dockerignore, or use RUN --mount=type=bind.", step(one.added_layer));
  return format("Delete it in the step that makes it ({}), or make it in another stage.", step(one.added_layer));
}

ReportSection layers_section(const engine::ImageReport& report) {
  const Analysis& analysis = report.analyzed.analysis;
  HtmlTable table("layers-table", "Layers, the lowest first", LayerRows::columns(analysis));
  LayerRows rows(report, table);
  const std::size_t base = std::min(analysis.base.layers, analysis.layers.size());
  const auto add = [&](std::size_t i, std::string_view classes) {
    const auto& layer = analysis.layers[i];
    const std::string& text = layer.instruction.empty() ? layer.diff_id : layer.instruction;
    rows.add(std::to_string(i), static_cast<std::int64_t>(i), layer, clipped(text), format(" id=\"layer-{}\"{}", i, classes));
  };
  if (base > 0) {
    table.group("base");
    const std::string name = analysis.base.name.empty() ? "the base image" : analysis.base.name;
    rows.add(base == 1 ? "0" : format("0–{}", base - 1), 0, sum_of(analysis, base), format("{} <span class=\"quiet\">{} {}</span>", code("FROM " + name), base, base == 1 ? "layer" : "layers"),
             " class=\"sum\"");
    for (std::size_t i = 0; i < base; ++i) add(i, " class=\"of-base\"");
  }
  if (base < analysis.layers.size()) table.group("own");
  for (std::size_t i = base; i < analysis.layers.size(); ++i) add(i, "");
  return {"layers", "Layers", "<p>A layer’s bytes are <em>dead</em> when no path of the final file system leads to them; a later layer <em>hides</em> them. The hatched part of a bar is dead.</p>" + table.str()};
}

ReportSection waste_section(const engine::ImageReport& report) {
  const Analysis& analysis = report.analyzed.analysis;
  if (analysis.rollups.empty()) return {"waste", "Waste", "<p>None: every byte of every layer is there in the final file system.</p>"};
  HtmlTable table("waste-table", "Bytes that are stored and pulled, and that nobody sees",
                  {{"Bytes", Align::number}, {"Path", Align::wide}, {"What became of it"}, {"Added in"}, {"Hidden in"}, {"What to do", Align::wide, false}});
  std::uint64_t shown = 0;
  for (std::size_t i = 0; i < std::min(kShownPlaces, analysis.rollups.size()); ++i) {
    const auto& one = analysis.rollups[i];
    shown += one.bytes;
    std::string path = code("/" + one.path + (one.is_directory && !one.path.empty() ? "/" : ""));
    if (one.is_directory) path += format(" <span class=\"quiet\">{}</span>", files(one.files));
    if (one.inherited) path += " <span class=\"tag\">base image</span>";
    table.row({bytes_cell(one.bytes), {path}, {what_happened(one)}, {layer_links(report, one.added_layer), static_cast<std::int64_t>(one.added_layer)},
               {layer_links(report, one.hidden_by_layer), static_cast<std::int64_t>(one.hidden_by_layer)}, {escaped(remedy(report, one))}});
  }
  if (analysis.rollups.size() > kShownPlaces) table.note(format("and {} more places with {}", analysis.rollups.size() - kShownPlaces, shown_size(analysis.waste.bytes - shown)));
  const auto& waste = analysis.waste;
  return {"waste", "Waste", format("<p>{} in {}: {} deleted, {} overwritten; {} of it stored again with the same content. {} reclaimable, {} of the base image.</p>", shown_size(waste.bytes),
                                   files(waste.files), shown_size(waste.deleted_bytes), shown_size(waste.overwritten_bytes), shown_size(waste.same_content_bytes),
                                   shown_size(waste.reclaimable_bytes), shown_size(waste.inherited_bytes)) + table.str()};
}

ReportSection caches_section(const engine::ImageReport& report) {
  const Analysis& analysis = report.analyzed.analysis;
  if (analysis.package_caches.empty()) return {"caches", "Package caches", ""};
  HtmlTable table("caches-table", "What package managers keep and can fetch again",
                  {{"Live", Align::number}, {"Dead", Align::number}, {"Manager"}, {"Folder", Align::wide}, {"Stored in"}, {"What to do", Align::wide, false}});
  for (std::size_t i = 0; i < std::min(kShownPlaces, analysis.package_caches.size()); ++i) {
    const auto& one = analysis.package_caches[i];
    table.row({bytes_cell(one.bytes), bytes_cell(one.dead_bytes, false), {escaped(one.manager)}, {one.bytes > 0 ? path_html(one.path) : code("/" + one.path)},
               {layer_links(report, one.layer), static_cast<std::int64_t>(one.layer)}, {escaped(one.remedy)}});
  }
  if (analysis.package_caches.size() > kShownPlaces) table.note(format("and {} more", analysis.package_caches.size() - kShownPlaces));
  return {"caches", "Package caches", table.str()};
}

ReportSection duplicates_section(const engine::ImageReport& report) {
  const Analysis& analysis = report.analyzed.analysis;
  if (analysis.duplicates.empty()) return {"duplicates", "Duplicates", ""};
  HtmlTable table("duplicates-table", "Files of the same content that are all there in the end",
                  {{"Too many", Align::number}, {"Copies", Align::number}, {"Each", Align::number}, {"Paths", Align::wide}});
  std::uint64_t shown = 0;
  for (std::size_t i = 0; i < std::min(kShownGroups, analysis.duplicates.size()); ++i) {
    const auto& group = analysis.duplicates[i];
    shown += group.bytes;
    std::string paths;
    for (std::size_t p = 0; p < std::min(kShownPaths, group.paths.size()); ++p) paths += format("<div>{} <span class=\"quiet\">{}</span></div>", path_html(group.paths[p]), layer_links(report, group.layers[p]));
    if (group.copies > kShownPaths) paths += format("<div class=\"quiet\">and {} more</div>", group.copies - kShownPaths);
    table.row({bytes_cell(group.bytes), count_cell(group.copies), bytes_cell(group.size), {paths}});
  }
  if (analysis.duplicates.size() > kShownGroups) table.note(format("and {} more groups with {}", analysis.duplicates.size() - kShownGroups, shown_size(analysis.duplicate_bytes - shown)));
  return {"duplicates", "Duplicates", table.str()};
}

ReportSection largest_section(const engine::ImageReport& report) {
  const Analysis& analysis = report.analyzed.analysis;
  HtmlTable list("largest-table", "Largest files", {{"Bytes", Align::number}, {"Path", Align::wide}, {"From"}});
  for (const auto& file : analysis.largest_files) list.row({bytes_cell(file.bytes), {path_html(file.path)}, {layer_links(report, file.layer), static_cast<std::int64_t>(file.layer)}});
  HtmlTable folders("directories-table", "Largest directories, with all that is in them", {{"Bytes", Align::number}, {"Files", Align::number}, {"Path", Align::wide}});
  for (const auto& folder : analysis.largest_directories) folders.row({bytes_cell(folder.bytes), count_cell(folder.files), {path_html(folder.path)}});
  HtmlTable kinds("kinds-table", "Kinds of files", {{"Bytes", Align::number}, {"Files", Align::number}, {"Kind", Align::wide}});
  for (const auto& kind : analysis.kinds) kinds.row({bytes_cell(kind.bytes), count_cell(kind.files), {escaped(kind.name)}});
  return {"largest", "What is large", "<div class=\"columns\"><div>" + list.str() + "</div><div>" + folders.str() + kinds.str() + "</div></div>"};
}

}  // namespace mica::cli
