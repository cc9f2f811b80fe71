#include "engine/build_bases.h"

#include <mutex>

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

Result<build::BaseImage> StoreBases::from_store(const store::ImageRow& row, std::string shown, const oci::Platform& platform) {
  if (!oci::matches(platform, row.platform))
    return fail(Error(Errc::unsupported, format("{} is an image for {}, not for {}", shown, row.platform.str(), platform.str()))
                    .with_hint("give --platform, or a base image for the wanted platform"));
  auto config = TRY(read_config(engine_, row.id));
  return build::BaseImage{.name = std::move(shown), .id = row.id, .manifest = row.manifest, .config = std::move(config)};
}

Result<build::BaseImage> StoreBases::ask_registry(const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  const auto candidates = TRY(engine_.registry().hosts().candidates(name));
  std::optional<Error> first;
  for (const auto& reference : candidates) {
    build::Stage stage(progress_, "[internal] load metadata for " + reference.str());
    auto found = find_remote(engine_, reference, cancel);
    if (found) {
      if (const auto known = TRY(known_remote(engine_, reference, found->top.digest, platform))) {
        stage.done();
        return from_store(*known, reference.str(), platform);
      }
      auto image = TRY(open_remote(std::move(*found), reference, platform, cancel));
      stage.done();
      build::BaseImage base{.name = reference.str(), .id = {oci::Digest::of(image.config_bytes)}, .manifest = image.manifest.digest, .config = image.config};
      remote_.lock()->insert_or_assign(base.id, std::move(image));
      return base;
    }
    stage.failed(found.error().text());
    if (found.error().code() == Errc::cancelled) return fail(std::move(found).error());
    if (!first) first = std::move(found).error();
  }
  return fail(std::move(*first));
}

Result<build::BaseImage> StoreBases::resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  if (name.starts_with(kOciLayout)) {
    const auto row = TRY(from_layout(engine_, std::string_view(name).substr(kOciLayout.size()), platform, cancel));
    return from_store(row, name, platform);
  }
  std::string shown = name.starts_with(kDockerImage) ? name.substr(kDockerImage.size()) : name;
  const auto reference = oci::Reference::parse(shown);
  if (pull_ && reference) return ask_registry(shown, platform, cancel);
  auto found = engine_.images().resolve(shown);
  if (!found && (found.error().code() != Errc::not_found || !reference)) return fail(std::move(found).error());
  // A name that is here for another platform only is asked for like one that is not here. A digest may be that of an index, of which several
  // platforms' images are here.
  if (found && (oci::matches(platform, found->platform) || !reference))
    return from_store(*found, reference ? reference->str() : shown, platform);
  if (found && !reference->digest.empty())
    if (const auto other = TRY(known_remote(engine_, *reference, reference->digest, platform))) return from_store(*other, reference->str(), platform);
  auto fetched = ask_registry(shown, platform, cancel);
  if (fetched || fetched.error().code() == Errc::cancelled) return fetched;
  if (found) return from_store(*found, reference->str(), platform);       // says which platform is here
  Error error = std::move(fetched).error();
  if (!error.hint().empty()) return fail(std::move(error).doing(format("{}: not found in the store", shown)));
  return fail(std::move(error).doing(format("{}: not found in the store", shown)).with_hint("'mica images' lists what is here; 'mica load', 'mica import' and 'mica base' bring images in without a registry"));
}

Result<snapshot::Chain> StoreBases::layers(const build::BaseImage& image, task::Cancel cancel) {
  std::optional<RemoteImage> remote;
  {
    auto known = remote_.lock();
    if (const auto found = known->find(image.id); found != known->end()) remote = found->second;
  }
  if (remote) {
    build::Stage stage(progress_, "pulling " + image.name);
    std::mutex mutex;
    std::map<std::string, bool> finished;
    auto chain = fetch_layers(engine_, *remote, [&](const TransferEvent& event) {
      const std::lock_guard lock(mutex);
      if (finished[event.id]) return;
      finished[event.id] = event.status == "Download complete" || event.status == "Already exists";
      if (event.total > 0 || finished[event.id]) stage.progress("sha256:" + event.id, event.done, event.total, finished[event.id]);
    }, cancel);
    if (!chain) {
      stage.failed(chain.error().text());
      return chain;
    }
    const oci::Reference name = remote->reference.digest.empty() ? remote->reference : oci::Reference();
    TRY(enter_remote(engine_, *remote, *chain, name));
    stage.done();
    remote_.lock()->erase(image.id);
    return chain;
  }
  const auto row = TRY(engine_.images().find(image.id));
  if (!row) return failf(Errc::not_found, "the image {} was removed meanwhile", image.name);
  return row->layers;
}

bool StoreBases::has_to_fetch() { return !remote_.lock()->empty(); }

}  // namespace mica::engine
