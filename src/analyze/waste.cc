#include "analyze/waste.h"

#include <algorithm>
#include <unordered_map>

namespace mica::analyze {
namespace {

const Entry* entry_at(const Layer& layer, std::string_view path) {
  const auto found = std::ranges::lower_bound(layer.entries, path, {}, [](const Entry& entry) -> std::string_view { return entry.path; });
  return found != layer.entries.end() && found->path == path ? &*found : nullptr;
}

Attributes compare(const Entry& before, const Entry& after) {
  return {.owner = before.uid != after.uid || before.gid != after.gid,
          .mode = before.mode != after.mode,
          .times = before.mtime_ns != after.mtime_ns,
          .xattrs = before.xattrs != after.xattrs};
}

/// The names of a layer's bodies that have several, by the first one.
std::unordered_map<std::string_view, std::vector<std::string_view>> further_names(const Layer& layer) {
  std::unordered_map<std::string_view, std::vector<std::string_view>> names;
  for (const Entry& entry : layer.entries)
    if (!entry.hard_link.empty()) names[entry.hard_link].push_back(entry.path);
  return names;
}

Finding describe(const Image& image, const Stack& stack, const Body& body, const std::vector<std::string_view>& names) {
  Finding finding{.path = body.entry->path, .bytes = body.entry->size, .added_layer = body.layer, .hidden_by_layer = body.hidden_by, .inherited = body.layer < image.base.layers};
  for (const std::string_view name : names)
    if (stack.nodes().contains(name)) {
      finding.kind = DeadKind::overwritten;
      finding.path = name;
      break;
    }
  for (std::size_t later = body.layer + 1; later < image.layers.size() && !finding.same_content; ++later)
    for (const std::string_view name : names) {
      const Entry* const copy = entry_at(image.layers[later], name);
      if (!copy || copy->kind != Kind::file || copy->digest != body.entry->digest) continue;
      finding.same_content = true;
      finding.changed = compare(*body.entry, *copy);
      break;
    }
  return finding;
}

/// What a directory has of one layer's bodies.
struct Tally {
  std::uint64_t bodies = 0, dead = 0, findings = 0;
  const Finding* like = nullptr;
  bool mixed = false;
};
bool is_alike(const Finding& a, const Finding& b) { return a.kind == b.kind && a.hidden_by_layer == b.hidden_by_layer && a.same_content == b.same_content; }

/// Calls `visit` for each directory above `path`, the root last.
template <class Visit>
void each_above(std::string_view path, const Visit& visit) {
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    path = slash == path.npos ? std::string_view() : path.substr(0, slash);
    if (!visit(path)) return;
  }
}

std::string_view common_directory(std::string_view directory, std::string_view path) {
  while (!is_within(path, directory) || path == directory) {
    const auto slash = directory.rfind('/');
    directory = slash == directory.npos ? std::string_view() : directory.substr(0, slash);
  }
  return directory;
}

std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

/// One layer's.
void roll_up_layer(const std::vector<const Finding*>& findings, const std::vector<const Body*>& bodies, std::vector<Rollup>& out) {
  std::unordered_map<std::string_view, Tally> tallies;
  for (const Finding* finding : findings)
    each_above(finding->path, [&](std::string_view above) {
      Tally& tally = tallies[above];
      ++tally.findings;
      if (!tally.like) tally.like = finding;
      tally.mixed = tally.mixed || !is_alike(*tally.like, *finding);
      return true;
    });
  for (const Body* body : bodies)
    each_above(body->entry->path, [&](std::string_view above) {
      const auto found = tallies.find(above);
      if (found == tallies.end()) return true;
      ++found->second.bodies;
      found->second.dead += body->is_dead();
      return true;
    });
  std::unordered_map<std::string_view, std::size_t> rolled;   // by the highest directory
  for (const Finding* finding : findings) {
    std::optional<std::string_view> highest;
    each_above(finding->path, [&](std::string_view above) {
      const Tally& tally = tallies.at(above);
      if (tally.mixed || tally.dead < tally.bodies) return false;
      if (tally.findings > 1) highest = above;
      return true;
    });
    Rollup one{.kind = finding->kind, .same_content = finding->same_content, .inherited = finding->inherited, .path = finding->path, .bytes = finding->bytes,
               .files = 1, .added_layer = finding->added_layer, .hidden_by_layer = finding->hidden_by_layer, .changed = finding->changed};
    if (!highest) {
      out.push_back(std::move(one));
      continue;
    }
    const auto [found, is_first] = rolled.try_emplace(*highest, out.size());
    if (is_first) {
      one.path = directory_of(finding->path);
      one.is_directory = true;
      out.push_back(std::move(one));
      continue;
    }
    Rollup& all = out[found->second];
    all.path = std::string(common_directory(all.path, finding->path));
    all.bytes += finding->bytes;
    ++all.files;
    all.changed = {.owner = all.changed.owner || finding->changed.owner,
                   .mode = all.changed.mode || finding->changed.mode,
                   .times = all.changed.times || finding->changed.times,
                   .xattrs = all.changed.xattrs || finding->changed.xattrs};
  }
}

}  // namespace

std::vector<Finding> find_waste(const Image& image, const Stack& stack) {
  std::vector<Finding> findings;
  std::unordered_map<std::string_view, std::vector<std::string_view>> further;
  std::size_t layer = SIZE_MAX;
  for (const Body& body : stack.bodies()) {
    if (!body.is_dead() || body.entry->size == 0) continue;
    if (layer != body.layer) {
      layer = body.layer;
      further = further_names(image.layers[layer]);
    }
    std::vector<std::string_view> names{body.entry->path};
    if (const auto found = further.find(body.entry->path); found != further.end()) names.insert(names.end(), found->second.begin(), found->second.end());
    findings.push_back(describe(image, stack, body, names));
  }
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) { return a.bytes > b.bytes; });
  return findings;
}

std::vector<Rollup> roll_up(const Stack& stack, const std::vector<Finding>& findings) {
  std::size_t layers = 0;
  for (const Finding& finding : findings) layers = std::max(layers, finding.added_layer + 1);
  std::vector<std::vector<const Finding*>> by_layer(layers);
  for (const Finding& finding : findings) by_layer[finding.added_layer].push_back(&finding);
  std::vector<std::vector<const Body*>> bodies(layers);
  for (const Body& body : stack.bodies())
    if (body.layer < layers && !by_layer[body.layer].empty()) bodies[body.layer].push_back(&body);
  std::vector<Rollup> out;
  for (std::size_t layer = 0; layer < layers; ++layer) roll_up_layer(by_layer[layer], bodies[layer], out);
  std::ranges::stable_sort(out, [](const Rollup& a, const Rollup& b) { return a.bytes > b.bytes; });
  return out;
}

}  // namespace mica::analyze
