#include "engine/load_images.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "engine/add_image.h"
#include "engine/archive_files.h"
#include "engine/collect_garbage.h"
#include "engine/layer_bytes.h"

namespace mica::engine {
namespace {

constexpr std::string_view kNameAnnotation = "io.containerd.image.name";
constexpr std::string_view kRefAnnotation = "org.opencontainers.image.ref.name";
constexpr int kMaxIndexDepth = 4;

/// One image of the archive, wherever its parts lie.
struct Found {
  std::string config_path;
  oci::Digest config_digest;                 ///< empty: unknown
  std::vector<std::string> layer_paths;
  std::vector<oci::Reference> names;
};

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

std::string annotation(const oci::Annotations& annotations, std::string_view key) {
  for (const auto& [name, value] : annotations)
    if (name == key) return value;
  return {};
}

class Loader {
 public:
  Loader(Engine& engine, const ArchiveFiles& files, const LoadImages& request, oci::Platform platform, task::Cancel cancel)
      : engine_(engine), files_(files), request_(request), platform_(std::move(platform)), cancel_(cancel) {}

  Result<std::vector<Loaded>> run() {
    std::vector<Found> images;
    if (files_.has("manifest.json")) images = TRY(docker_archive());
    else if (files_.has("index.json")) TRY(oci_layout(images));
    else
      return fail(Error(Errc::corrupt, "this is no image archive: it has neither manifest.json nor index.json")
                      .with_hint("a root filesystem tar becomes an image with 'mica import'"));
    std::vector<Loaded> loaded;
    for (const auto& image : images) {
      auto one = TRY(load(image));
      loaded.push_back(std::move(one));
    }
    return loaded;
  }

 private:
  Result<std::vector<Found>> docker_archive() {
    const std::string text = TRY(files_.read("manifest.json"));
    const auto list = TRY_DOING(json::parse(text), "reading manifest.json");
    if (!list.is_array()) return fail(Errc::corrupt, "manifest.json is not a list");
    std::vector<Found> images;
    for (const auto& item : list.as_array()) {
      Found found{.config_path = item.string_or("Config"), .layer_paths = item.strings("Layers")};
      if (found.config_path.empty()) return fail(Errc::corrupt, "manifest.json has an image without Config");
      for (const auto& tag : item.strings("RepoTags")) {
        auto name = TRY_DOING(oci::Reference::parse(tag), "reading manifest.json");
        found.names.push_back(std::move(name));
      }
      images.push_back(std::move(found));
    }
    return images;
  }

  Result<> oci_layout(std::vector<Found>& images) {
    const std::string text = TRY(files_.read("index.json"));
    const auto index = TRY_DOING(oci::Index::parse(text), "reading index.json");
    for (const auto& descriptor : index.manifests) {
      std::vector<oci::Reference> names;
      const std::string full = annotation(descriptor.annotations, kNameAnnotation);
      const std::string ref = annotation(descriptor.annotations, kRefAnnotation);
      if (!request_.manifest.empty() && descriptor.digest != request_.manifest) continue;
      if (!request_.tag.empty() && ref != request_.tag && !ref.ends_with(":" + request_.tag)) continue;
      // A bare tag in ref.name ("latest") names nothing; skopeo writes whole names there.
      const std::string name = !full.empty() ? full : ref.find_first_of(":/") != ref.npos ? ref : "";
      if (!name.empty())
        if (auto reference = oci::Reference::parse(name)) names.push_back(std::move(*reference));
      TRY(manifest(descriptor, names, 0, images));
    }
    return {};
  }

  Result<std::string> checked_blob(const oci::Digest& digest) {
    std::string bytes = TRY(files_.read(blob_path(digest)));
    if (oci::Digest::of(bytes) != digest)
      return failf(Errc::corrupt, "a blob of the archive is damaged\n  expected: {}\n  actual:   {}", digest.str(), oci::Digest::of(bytes).str());
    return bytes;
  }

  Result<> manifest(const oci::Descriptor& descriptor, const std::vector<oci::Reference>& names, int depth, std::vector<Found>& images) {
    const std::string bytes = TRY(checked_blob(descriptor.digest));
    if (descriptor.media_type == oci::kOciIndex || descriptor.media_type == oci::kDockerIndex) {
      const auto index = TRY(oci::Index::parse(bytes));
      if (depth > kMaxIndexDepth) return fail(Errc::corrupt, "indexes in the archive are nested too deep");
      for (const auto& inner : index.manifests)
        if (inner.platform && oci::matches(platform_, *inner.platform)) return manifest(inner, names, depth + 1, images);
      if (index.manifests.size() == 1) return manifest(index.manifests[0], names, depth + 1, images);
      return failf(Errc::not_found, "the archive has no image for {}", platform_.str());
    }
    const auto parsed = TRY(oci::Manifest::parse(bytes));
    Found found{.config_path = blob_path(parsed.config.digest), .config_digest = parsed.config.digest, .names = names};
    for (const auto& layer : parsed.layers) found.layer_paths.push_back(blob_path(layer.digest));
    images.push_back(std::move(found));
    return {};
  }

  Result<Loaded> load(const Found& image) {
    const std::string bytes = TRY(files_.read(image.config_path));
    if (!image.config_digest.empty() && oci::Digest::of(bytes) != image.config_digest)
      return fail(Errc::corrupt, "the image config in the archive is damaged: its digest differs");
    const auto config = TRY_DOING(oci::ImageConfig::parse(bytes), format("reading {}", image.config_path));
    if (config.diff_ids.size() != image.layer_paths.size())
      return failf(Errc::corrupt, "the archive lists {} layers, the image config {}", image.layer_paths.size(), config.diff_ids.size());
    snapshot::Chain chain;
    for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
      TRY(cancel_.check());
      const auto known = TRY(engine_.layers().find(config.diff_ids[i], chain));
      if (known && engine_.workspace().lease(engine_.database(), {known->id})) {
        chain.push_back(known->id);
        continue;
      }
      auto file = TRY(files_.open(image.layer_paths[i]));
      stream::FdSource source(std::move(file));
      TRY_DOING(add_layer(engine_, chain, source, config.diff_ids[i], cancel_), format("unpacking layer {} of {}", i + 1, config.diff_ids.size()));
      auto again = TRY(files_.open(image.layer_paths[i]));
      stream::FdSource original(std::move(again));
      TRY_DOING(keep_original(engine_, chain.back(), config.diff_ids[i], original, cancel_), format("keeping layer {} of {}", i + 1, config.diff_ids.size()));
    }
    Loaded loaded;
    if (request_.keep_names) loaded.names = image.names;
    loaded.id = TRY(add_image(engine_, chain, config, bytes, loaded.names));
    return loaded;
  }

  Engine& engine_;
  const ArchiveFiles& files_;
  const LoadImages& request_;
  oci::Platform platform_;
  task::Cancel cancel_;
};

Result<sys::Fd> open_input(const std::string& path) {
  if (!path.empty()) return sys::open(path, O_RDONLY);
  const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail_errno("reading standard input");
  return sys::Fd(copy);
}

Result<ArchiveFiles> read_archive(Engine& engine, const std::string& input, task::Cancel cancel) {
  auto file = TRY(open_input(input));
  const auto status = TRY(sys::stat_fd(file));
  if (S_ISDIR(status.st_mode)) return ArchiveFiles::folder(input);
  stream::FdSource source(std::move(file));
  return ArchiveFiles::spool(source, engine.workspace().path() + "/load", cancel);
}

}  // namespace

Result<std::vector<Loaded>> load_images(Engine& engine, const LoadImages& request, task::Cancel cancel) {
  oci::Platform platform = oci::Platform::host();
  if (!request.platform.empty()) platform = TRY(oci::Platform::parse(request.platform));
  const std::string what = request.input.empty() ? "standard input" : request.input;
  const auto files = TRY_DOING(read_archive(engine, request.input, cancel), format("loading {}", what));
  const auto hold = TRY(hold_off_collection(engine));
  return TRY_DOING(Loader(engine, files, request, platform, cancel).run(), format("loading {}", what));
}

}  // namespace mica::engine
