#include <algorithm>
#include <unordered_map>

#include "analyze/analysis.h"
#include "analyze/dive.h"
#include "analyze/file_kinds.h"
#include "analyze/package_caches.h"
#include "analyze/waste.h"

namespace mica::analyze {
namespace {

LayerReport report(const Image& image, std::size_t index, const LayerEffect& effect) {
  const Layer& layer = image.layers[index];
  LayerReport out{.index = index, .diff_id = layer.diff_id, .digest = layer.digest, .created_by = layer.created_by, .instruction = layer.instruction, .line = layer.line,
                  .inherited = index < image.base.layers, .compressed_bytes = layer.compressed_bytes, .duration_ns = layer.duration_ns,
                  .added_files = effect.added_files, .changed_files = effect.changed_files, .removed_paths = effect.removed_paths, .changed_bytes = effect.changed_bytes};
  for (const Entry& entry : layer.entries) {
    if (entry.implied) continue;
    if (entry.kind == Kind::directory) ++out.directories;
    else if (entry.kind == Kind::symlink) ++out.symlinks;
    else if (entry.kind == Kind::device) ++out.others;
    else if (entry.stores_body()) ++out.files;
    out.bytes += entry.size;
  }
  return out;
}

void sum_waste(const Image& image, Analysis& out) {
  for (const Finding& finding : out.findings) {
    out.waste.bytes += finding.bytes;
    (finding.kind == DeadKind::deleted ? out.waste.deleted_bytes : out.waste.overwritten_bytes) += finding.bytes;
    (finding.inherited ? out.waste.inherited_bytes : out.waste.reclaimable_bytes) += finding.bytes;
    if (finding.same_content) out.waste.same_content_bytes += finding.bytes;
    out.layers[finding.added_layer].wasted_bytes += finding.bytes;
    out.layers[finding.hidden_by_layer].hidden_bytes += finding.bytes;
  }
  out.waste.files = out.findings.size();
  if (out.compressed_bytes < 0) return;
  double share = 0;
  for (std::size_t i = 0; i < image.layers.size(); ++i)
    if (out.layers[i].bytes > 0)
      share += static_cast<double>(image.layers[i].compressed_bytes) * static_cast<double>(out.layers[i].wasted_bytes) / static_cast<double>(out.layers[i].bytes);
  out.waste.compressed_bytes = static_cast<std::int64_t>(share);
}

void find_duplicates(const Stack& stack, Analysis& out) {
  std::vector<const Body*> live;
  for (const Body& body : stack.bodies())
    if (!body.is_dead() && body.entry->size > 0) live.push_back(&body);
  std::ranges::stable_sort(live, [](const Body* a, const Body* b) { return a->entry->digest < b->entry->digest; });
  for (std::size_t begin = 0, end; begin < live.size(); begin = end) {
    for (end = begin + 1; end < live.size() && live[end]->entry->digest == live[begin]->entry->digest;) ++end;
    if (end - begin < 2) continue;
    Duplicates group{.size = live[begin]->entry->size, .copies = end - begin};
    group.bytes = group.size * (group.copies - 1);
    for (std::size_t i = begin; i < end; ++i) {
      if (i > begin) out.layers[live[i]->layer].duplicate_bytes += group.size;
      if (group.paths.size() == kShownCopies) continue;
      group.paths.emplace_back(live[i]->live_path);
      group.layers.push_back(live[i]->layer);
    }
    out.duplicate_bytes += group.bytes;
    out.duplicates.push_back(std::move(group));
  }
  std::ranges::stable_sort(out.duplicates, [](const auto& a, const auto& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.paths < b.paths; });
}

void find_caches(const Stack& stack, Analysis& out) {
  std::map<std::pair<std::string_view, std::size_t>, PackageCache> found;
  for (const Body& body : stack.bodies()) {
    if (body.entry->size == 0) continue;
    const auto match = find_cache(body.is_dead() ? body.entry->path : body.live_path);
    if (!match.rule) continue;
    PackageCache& cache = found[{match.folder, body.layer}];
    if (cache.path.empty())
      cache = {.manager = std::string(match.rule->manager), .path = std::string(match.folder), .layer = body.layer, .remedy = remedy_for(*match.rule, match.folder)};
    if (body.is_dead()) {
      cache.dead_bytes += body.entry->size;
      continue;
    }
    cache.bytes += body.entry->size;
    ++cache.files;
    out.package_cache_bytes += body.entry->size;
    out.layers[body.layer].package_cache_bytes += body.entry->size;
  }
  for (auto& [key, cache] : found) out.package_caches.push_back(std::move(cache));
  std::ranges::stable_sort(out.package_caches, [](const auto& a, const auto& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.dead_bytes > b.dead_bytes; });
}

bool is_larger(const SizedPath& a, const SizedPath& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.path < b.path; }

void keep_largest(std::vector<SizedPath>& paths, std::size_t count) {
  const auto end = paths.begin() + static_cast<std::ptrdiff_t>(std::min(count, paths.size()));
  std::partial_sort(paths.begin(), end, paths.end(), is_larger);
  paths.erase(end, paths.end());
}

void measure_live(const Stack& stack, const Options& options, Analysis& out) {
  struct Sum {
    std::uint64_t bytes = 0, files = 0;
  };
  std::unordered_map<std::string_view, Sum> directories, kinds;
  const auto add = [](Sum& sum, std::uint64_t bytes) {
    sum.bytes += bytes;
    ++sum.files;
  };
  std::vector<const Body*> live;
  for (const Body& body : stack.bodies()) {
    if (body.is_dead()) continue;
    const std::uint64_t bytes = body.entry->size;
    ++out.live_files;
    out.live_bytes += bytes;
    if (is_sparse_log(body.live_path)) out.sparse_log_bytes += bytes;
    add(kinds[file_kind(body.live_path, body.entry->mode)], bytes);
    for (auto slash = body.live_path.rfind('/'); slash != std::string_view::npos && slash > 0; slash = body.live_path.rfind('/', slash - 1))
      add(directories[body.live_path.substr(0, slash)], bytes);
    if (bytes > 0) live.push_back(&body);
  }
  const auto end = live.begin() + static_cast<std::ptrdiff_t>(std::min(options.largest, live.size()));
  std::partial_sort(live.begin(), end, live.end(),
                    [](const Body* a, const Body* b) { return a->entry->size != b->entry->size ? a->entry->size > b->entry->size : a->live_path < b->live_path; });
  for (auto body = live.begin(); body != end; ++body)
    out.largest_files.push_back({.path = std::string((*body)->live_path), .bytes = (*body)->entry->size, .files = 1, .layer = (*body)->layer});
  for (const auto& [path, sum] : directories)
    if (sum.bytes > 0) out.largest_directories.push_back({.path = std::string(path), .bytes = sum.bytes, .files = sum.files});
  keep_largest(out.largest_directories, options.largest);
  for (const auto& [kind, sum] : kinds) out.kinds.push_back({.name = std::string(kind), .bytes = sum.bytes, .files = sum.files});
  std::ranges::sort(out.kinds, [](const auto& a, const auto& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name; });
}

std::int64_t sum_of_blobs(const Image& image) {
  std::int64_t sum = 0;
  for (const Layer& layer : image.layers) {
    if (layer.compressed_bytes < 0) return -1;
    sum += layer.compressed_bytes;
  }
  return sum;
}

}  // namespace

Analysis analyze(const Image& image, const Options& options) {
  Analysis out{.name = image.name, .id = image.id, .digest = image.digest, .platform = image.platform, .base = image.base};
  const Stack stack(image);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    out.layers.push_back(report(image, i, stack.effects()[i]));
    out.total_bytes += out.layers.back().bytes;
    out.files += out.layers.back().files;
  }
  out.compressed_bytes = sum_of_blobs(image);
  measure_live(stack, options, out);
  if (out.total_bytes > 0) out.efficiency = static_cast<double>(out.live_bytes) / static_cast<double>(out.total_bytes);
  out.findings = find_waste(image, stack);
  out.rollups = roll_up(stack, out.findings);
  sum_waste(image, out);
  find_duplicates(stack, out);
  find_caches(stack, out);
  out.dive = dive_measure(image);
  return out;
}

std::vector<LiveFile> live_files(const Image& image) {
  const Stack stack(image);
  std::vector<LiveFile> out;
  for (const auto& [path, node] : stack.nodes()) {
    if (node.body == SIZE_MAX) continue;
    const Body& body = stack.bodies()[node.body];
    out.push_back({.path = path, .bytes = body.live_path == path ? body.entry->size : 0, .layer = node.layer, .entry = node.entry});
  }
  return out;
}

std::string_view name(DeadKind kind) { return kind == DeadKind::deleted ? "deleted" : "overwritten"; }

std::vector<std::string> names(const Attributes& changed) {
  std::vector<std::string> out;
  if (changed.owner) out.emplace_back("owner");
  if (changed.mode) out.emplace_back("mode");
  if (changed.times) out.emplace_back("times");
  if (changed.xattrs) out.emplace_back("attributes");
  return out;
}

}  // namespace mica::analyze
