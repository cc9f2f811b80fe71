#include "engine/prune_containers.h"

#include "base/log.h"
#include "engine/container_list.h"
#include "engine/containers.h"
#include "engine/filters.h"

namespace mica::engine {

Result<PrunedContainers> prune_containers(Engine& engine, const std::vector<std::string>& texts, const task::Cancel& cancel) {
  constexpr std::string_view kFilters[] = {"until", "label", "label!"};
  const auto filters = TRY(parse_filters(texts, kFilters));
  const auto until = TRY(until_of(filters));
  const auto rows = TRY(list_containers(engine));
  PrunedContainers out;
  for (const auto& row : rows) {
    if (is_running(row) || (until && row.created.ns > until->ns) || !labels_match(filters, row.labels)) continue;
    const std::int64_t bytes = container_size(engine, row.id);
    // Somebody may have started or removed it just now.
    if (const auto removed = remove_container(engine, row.id, {}, cancel); !removed) {
      log::debug("pruning container {}: {}", row.name, removed.error().text());
      continue;
    }
    out.ids.push_back(row.id);
    out.bytes += bytes;
  }
  return out;
}

}  // namespace mica::engine
