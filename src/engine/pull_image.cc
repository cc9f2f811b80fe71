#include "engine/pull_image.h"

#include "base/format.h"
#include "base/text.h"
#include "engine/collect_garbage.h"
#include "engine/fetch_image.h"
#include "engine/image_trend.h"

namespace mica::engine {
namespace {

Result<Pulled> pull_one(Engine& engine, const oci::Reference& reference, const oci::Platform& platform, const std::function<void(const oci::Reference&)>& begin,
                        const TransferEvents& events, task::Cancel cancel) {
  auto found = TRY(find_remote(engine, reference, cancel));
  if (begin) begin(reference);
  Pulled pulled{.reference = reference, .digest = found.top.digest};
  const auto hold = TRY(hold_off_collection(engine));
  oci::Reference name = reference;
  if (!reference.digest.empty()) name.tag.clear();   // as with Docker, a digest gives no tag
  if (const auto known = TRY(known_remote(engine, reference, found.top.digest, platform))) {
    pulled.id = known->id;
    const auto named = TRY(engine.images().find_name(reference));
    pulled.is_new = !named || named->id != known->id;
    if (pulled.is_new && !name.tag.empty()) {
      TRY(engine.images().tag(known->id, name));
      remember_names(engine, *known, {name});
    }
    return pulled;
  }
  pulled.is_new = true;
  const auto image = TRY(open_remote(std::move(found), reference, platform, cancel));
  const auto chain = TRY(fetch_layers(engine, image, events, cancel));
  pulled.id = TRY(enter_remote(engine, image, chain, name));
  return pulled;
}

/// The first that exists of what a short name may stand for.
Result<Pulled> pull_first(Engine& engine, const std::vector<oci::Reference>& candidates, const oci::Platform& platform,
                          const std::function<void(const oci::Reference&)>& begin, const TransferEvents& events, task::Cancel cancel) {
  std::vector<std::string> tried;
  for (const auto& reference : candidates) {
    auto pulled = pull_one(engine, reference, platform, begin, events, cancel);
    if (pulled || candidates.size() == 1) return pulled;
    if (pulled.error().code() == Errc::cancelled) return pulled;
    tried.push_back(format("{}: {}", reference.str(), pulled.error().text()));
  }
  return failf(Errc::not_found, "none of the places to look gave the image:\n  {}", join(tried, "\n  "));
}

}  // namespace

Result<std::vector<Pulled>> pull_images(Engine& engine, const PullImage& request, const std::function<void(const oci::Reference&)>& begin,
                                        const TransferEvents& events, task::Cancel cancel) {
  oci::Platform platform = oci::Platform::host();
  if (!request.platform.empty()) platform = TRY(oci::Platform::parse(request.platform));
  auto& client = engine.registry();
  const auto candidates = TRY(client.hosts().candidates(request.name));
  std::vector<Pulled> all;
  if (!request.all_tags) {
    auto one = TRY(pull_first(engine, candidates, platform, begin, events, cancel));
    all.push_back(std::move(one));
    return all;
  }
  const auto bare = TRY(oci::Reference::parse(request.name, false));
  if (!bare.tag.empty() || !bare.digest.empty()) return fail(Errc::invalid_argument, "tag can't be used with --all-tags/-a");
  const auto repository = TRY(client.open(candidates[0], registry::Access::pull));
  const auto tags = TRY(repository.tags(cancel));
  if (tags.empty()) return failf(Errc::not_found, "{} has no tags", candidates[0].familiar_name());
  for (const auto& tag : tags) {
    oci::Reference reference = candidates[0];
    reference.tag = tag;
    auto one = TRY(pull_one(engine, reference, platform, begin, events, cancel));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace mica::engine
