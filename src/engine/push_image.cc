#include "engine/push_image.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

/// The names under which images of the store go to the repository of `wanted`.
Result<std::vector<store::NameRow>> names_to_push(Engine& engine, const oci::Reference& wanted, bool all_tags) {
  std::vector<store::NameRow> chosen;
  if (all_tags) {
    const auto all = TRY(engine.images().names());
    for (const auto& row : all)
      if (row.reference.repository() == wanted.repository()) chosen.push_back(row);
  } else if (const auto row = TRY(engine.images().find_name(wanted))) {
    chosen.push_back(*row);
  }
  if (!chosen.empty()) return chosen;
  const std::string what = all_tags ? wanted.familiar_name() : wanted.familiar();
  Error error(Errc::not_found, all_tags ? format("An image does not exist locally with the name: {}", what) : format("An image does not exist locally with the tag: {}", wanted.familiar_name()));
  if (auto nearest = engine.images().resolve(what); !nearest && !nearest.error().hint().empty()) return fail(std::move(error).with_hint(nearest.error().hint()));
  return fail(std::move(error).with_hint("'mica images' lists what is here; 'mica tag IMAGE NAME' gives an image this name"));
}

}  // namespace

Result<Pushed> push_one(Engine& engine, const store::ImageRow& image, const oci::Reference& name, const LayerForm& form, const oci::Annotations& annotations,
                        const TransferEvents& events, task::Cancel cancel) {
  if (!image.layers.empty()) TRY(engine.workspace().lease(engine.database(), image.layers));
  const auto repository = TRY(engine.registry().open(name, registry::Access::push));
  const auto sent = TRY_DOING(push_manifest(engine, repository, image, name.tag, form, annotations, events, cancel), format("pushing {}", name.familiar()));
  TRY(engine.blobs().put(sent.bytes, store::Sync::later));
  oci::Reference known = name;
  known.tag.clear();
  known.digest = sent.descriptor.digest;
  store::ImageRow row = image;
  if (row.manifest.empty()) row.manifest = sent.descriptor.digest;
  TRY(engine.images().put(row, {known}));
  return Pushed{.reference = name, .digest = sent.descriptor.digest, .size = sent.descriptor.size};
}

Result<std::vector<Pushed>> push_images(Engine& engine, const PushImage& request, const std::function<void(const oci::Reference&)>& begin,
                                        const TransferEvents& events, task::Cancel cancel) {
  const auto wanted = TRY(oci::Reference::parse(request.name, !request.all_tags));
  if (!wanted.digest.empty()) return fail(Errc::invalid_argument, "cannot push a digest reference");
  if (request.all_tags && !wanted.tag.empty()) return fail(Errc::invalid_argument, "tag can't be used with --all-tags/-a");
  if (begin) begin(wanted);
  const auto names = TRY(names_to_push(engine, wanted, request.all_tags));
  std::vector<Pushed> all;
  for (const auto& name : names) {
    const auto image = TRY(engine.images().find(name.id));
    if (!image) return failf(Errc::not_found, "{} was removed meanwhile", name.reference.familiar());
    if (!request.platform.empty()) {
      const auto platform = TRY(oci::Platform::parse(request.platform));
      if (!oci::matches(platform, image->platform)) return failf(Errc::not_found, "{} is an image for {}, not for {}", name.reference.familiar(), image->platform.str(), platform.str());
    }
    auto one = TRY(push_one(engine, *image, name.reference, request.form, {}, events, cancel));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace mica::engine
