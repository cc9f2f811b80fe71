#include "engine/remove_image.h"

#include <algorithm>

#include "base/format.h"
#include "engine/collect_garbage.h"
#include "engine/containers.h"
#include "engine/image_trend.h"
#include "engine/images.h"

namespace mica::engine {

std::vector<oci::Digest> chain_ids(const std::vector<oci::DiffId>& diff_ids) {
  std::vector<oci::Digest> chain;
  for (const auto& id : diff_ids)
    chain.push_back(chain.empty() ? id.digest : oci::Digest::of(chain.back().str() + " " + id.digest.str()));
  return chain;
}

std::vector<Removal> vanished_layers(Engine& engine, const store::ImageRow& image, const std::vector<oci::DiffId>& diff_ids) {
  std::vector<Removal> gone;
  const auto chain = chain_ids(diff_ids);
  for (std::size_t i = std::min(chain.size(), image.layers.size()); i-- > 0;)
    if (!engine.layers().info(image.layers[i])) gone.push_back({false, chain[i].str()});
  return gone;
}

namespace {

/// Images that containers stand on are kept, as Docker keeps them. True: only the name goes.
Result<bool> check_containers(Engine& engine, const RemoveImage& request, const store::ImageRow& image, bool by_name) {
  constexpr std::size_t kShortDigits = 12;
  const auto rows = TRY(list_containers(engine));
  const container::Row *running = nullptr, *stopped = nullptr;
  for (const auto& row : rows)
    if (row.image_id == image.id.digest.str()) (is_running(row) ? running : stopped) = &row;
  const auto* user = running ? running : stopped;
  if (!user) return false;
  const std::string id = user->id.substr(0, kShortDigits), digest = image.id.digest.short_hex();
  if (by_name && !request.force)
    return failf(Errc::conflict, "conflict: unable to remove repository reference \"{}\" (must force) - container {} is using its referenced image {}", request.name, id, digest);
  if (by_name) return running != nullptr;
  if (running) return failf(Errc::conflict, "conflict: unable to delete {} (cannot be forced) - image is being used by running container {}", digest, id);
  if (!request.force) return failf(Errc::conflict, "conflict: unable to delete {} (must be forced) - image is being used by stopped container {}", digest, id);
  return false;
}

}  // namespace

Result<std::vector<Removal>> remove_image(Engine& engine, const RemoveImage& request) {
  const auto image = TRY(engine.images().resolve(request.name));
  const auto names = TRY(engine.images().names_of(image.id));
  const auto config = read_config(engine, image.id);
  std::vector<Removal> removals;

  bool by_name = false;
  if (const auto reference = oci::Reference::parse(request.name); reference && reference->digest.empty()) {
    const auto row = TRY(engine.images().find_name(*reference));
    by_name = row && row->id == image.id;
    if (by_name && names.size() > 1) {
      TRY(engine.images().remove_name(*reference));
      removals.push_back({true, reference->familiar()});
      return removals;
    }
  }
  if (TRY(check_containers(engine, request, image, by_name))) {
    const auto reference = TRY(oci::Reference::parse(request.name));
    TRY(engine.images().remove_name(reference));
    removals.push_back({true, reference.familiar()});
    return removals;
  }
  if (!by_name && !request.force) {
    const bool several = std::any_of(names.begin(), names.end(), [&](const auto& name) { return name.repository() != names[0].repository(); });
    if (several)
      return fail(Error(Errc::conflict, format("conflict: unable to delete {} (must be forced) - image is referenced in multiple repositories",
                                               image.id.digest.short_hex()))
                      .with_hint("name the tag to remove, or use --force to remove them all"));
  }
  remember_waste(engine, image);
  TRY(engine.images().remove(image.id));
  for (const auto& name : names) removals.push_back({true, name.familiar()});
  removals.push_back({false, image.id.digest.str()});
  if (!request.prune) return removals;
  TRY(collect_garbage(engine));
  if (config)
    for (auto& layer : vanished_layers(engine, image, config->diff_ids)) removals.push_back(std::move(layer));
  return removals;
}

}  // namespace mica::engine
