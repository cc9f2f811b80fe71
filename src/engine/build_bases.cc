#include "engine/build_bases.h"

#include "base/format.h"
#include "engine/images.h"
#include "engine/load_images.h"

namespace mica::engine {
namespace {

constexpr std::string_view kDockerImage = "docker-image://", kOciLayout = "oci-layout://";

/// PATH[:TAG][@DIGEST] of an oci-layout:// name: the images of the layout are loaded like any archive's.
Result<store::ImageRow> from_layout(Engine& engine, std::string_view text, const oci::Platform& platform, task::Cancel cancel) {
  std::string path(text);
  oci::Digest digest;
  std::string tag;
  if (const auto at = path.find('@'); at != path.npos) {
    digest = TRY_DOING(oci::Digest::parse(path.substr(at + 1)), format("reading {}{}", kOciLayout, text));
    path.resize(at);
  }
  if (const auto colon = path.rfind(':'); colon != path.npos && path.find('/', colon) == path.npos && !sys::exists(path)) {
    tag = path.substr(colon + 1);
    path.resize(colon);
  }
  const auto loaded = TRY_DOING(load_images(engine, {.input = path, .platform = platform.str(), .tag = tag, .manifest = digest, .keep_names = false}, cancel),
                                format("loading {}{}", kOciLayout, text));
  if (loaded.size() != 1)
    return failf(Errc::invalid_argument, "the OCI layout {} holds {} images: name one by :TAG or @DIGEST", quoted(path), loaded.size());
  auto image = TRY(engine.images().find(loaded[0].id));
  if (!image) return failf(Errc::internal, "the image of {} vanished while it was loaded", quoted(path));
  return std::move(*image);
}

}  // namespace

Result<build::BaseImage> StoreBases::resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  store::ImageRow row;
  std::string shown = name;
  if (name.starts_with(kOciLayout)) {
    row = TRY(from_layout(engine_, std::string_view(name).substr(kOciLayout.size()), platform, cancel));
  } else {
    if (name.starts_with(kDockerImage)) shown = name.substr(kDockerImage.size());
    auto found = engine_.images().resolve(shown);
    if (!found) {
      Error error = std::move(found).error();
      if (error.code() != Errc::not_found) return fail(std::move(error));
      return fail(Error(Errc::not_found, format("{}: not found in the store", shown))
                      .with_hint("'mica images' lists what is here; 'mica load', 'mica import' and 'mica base' bring images in"));
    }
    row = std::move(*found);
    if (const auto reference = oci::Reference::parse(shown)) shown = reference->str();
  }
  if (!oci::matches(platform, row.platform))
    return fail(Error(Errc::unsupported, format("{} is an image for {}, not for {}", shown, row.platform.str(), platform.str()))
                    .with_hint("give --platform, or a base image for the wanted platform"));
  auto config = TRY(read_config(engine_, row.id));
  return build::BaseImage{.name = shown, .id = row.id, .manifest = row.manifest, .config = std::move(config)};
}

Result<snapshot::Chain> StoreBases::layers(const build::BaseImage& image, task::Cancel) {
  const auto row = TRY(engine_.images().find(image.id));
  if (!row) return failf(Errc::not_found, "the image {} was removed meanwhile", image.name);
  return row->layers;
}

}  // namespace mica::engine
