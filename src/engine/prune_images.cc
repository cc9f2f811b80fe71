#include "engine/prune_images.h"

#include <algorithm>

#include "container/container_table.h"
#include "engine/collect_garbage.h"
#include "engine/filters.h"
#include "engine/image_trend.h"
#include "engine/images.h"

namespace mica::engine {

Result<PrunedImages> prune_images(Engine& engine, const PruneImages& request) {
  static constexpr std::string_view kKnown[] = {"until", "label", "label!", "dangling"};
  const Filters filters = TRY(parse_filters(request.filters, kKnown));
  const auto until = TRY(until_of(filters));
  const auto dangling = TRY(boolean_of(filters, "dangling"));
  const bool named_too = request.all || (dangling && !*dangling);
  const auto images = TRY(engine.images().list());

  const auto containers = TRY(container::ContainerTable(engine.database()).list());
  const auto is_used = [&](const store::ImageRow& image) { return std::ranges::any_of(containers, [&](const auto& row) { return row.image_id == image.id.digest.str(); }); };

  PrunedImages pruned;
  std::vector<std::pair<store::ImageRow, std::vector<oci::DiffId>>> removed;
  for (const auto& image : images) {
    const auto names = TRY(engine.images().names_of(image.id));
    if ((!names.empty() && !named_too) || is_used(image)) continue;
    if ((until && image.created >= *until) || !labels_match(filters, image.labels)) continue;
    const auto config = read_config(engine, image.id);
    remember_waste(engine, image);
    TRY(engine.images().remove(image.id));
    for (const auto& name : names) pruned.removals.push_back({true, name.familiar()});
    pruned.removals.push_back({false, image.id.digest.str()});
    removed.emplace_back(image, config ? config->diff_ids : std::vector<oci::DiffId>{});
  }
  const auto collected = TRY(collect_garbage(engine, 2000));
  pruned.bytes = collected.bytes;
  pruned.layers_kept = collected.skipped;
  std::vector<std::string> seen;
  for (const auto& [image, diff_ids] : removed)
    for (auto& layer : vanished_layers(engine, image, diff_ids)) {
      if (std::find(seen.begin(), seen.end(), layer.what) != seen.end()) continue;
      seen.push_back(layer.what);
      pruned.removals.push_back(std::move(layer));
    }
  return pruned;
}

}  // namespace mica::engine
