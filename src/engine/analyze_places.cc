// Images outside the store: layers are streamed through a tar reader that keeps nothing but their entries.
#include <algorithm>

#include "analyze/tar_layer.h"
#include "base/format.h"
#include "base/text.h"
#include "engine/analyze_sources.h"
#include "engine/document_parts.h"
#include "engine/image_files.h"
#include "registry/limits.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxLayers = 10'000;
constexpr int kMaxDepth = 8;                       // of indexes in indexes
constexpr int kLayersAtOnce = 4;
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name", kImageName = "io.containerd.image.name";

std::string annotation(const oci::Annotations& annotations, std::string_view key) {
  for (const auto& [name, value] : annotations)
    if (name == key) return value;
  return {};
}

bool is_called(const std::string& name, const std::string& wanted) {
  if (name == wanted) return true;
  const auto a = oci::Reference::parse(name), b = oci::Reference::parse(wanted);
  return a && b && *a == *b;
}

std::string path_of(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

Result<oci::Platform> wanted_platform(const ReadImage& request) {
  return request.platform.empty() ? oci::Platform::host() : oci::Platform::parse(request.platform);
}

Result<> check_platform(const ReadImage& request, const LayeredImage& image) {
  if (request.platform.empty()) return {};
  const auto wanted = TRY(oci::Platform::parse(request.platform));
  if (!oci::matches(wanted, image.config.platform)) return failf(Errc::not_found, "{} is of platform {}, not {}", request.what, image.config.platform.str(), wanted.str());
  return {};
}

/// An image in files.
class FilesReader {
 public:
  FilesReader(Engine& engine, const ImageFiles& files, const ImagePlace& place, const ReadImage& request, task::Cancel cancel)
      : engine_(engine), files_(files), place_(place), request_(request), cancel_(std::move(cancel)) {}

  Result<LayeredImage> docker() {
    const auto entry = TRY(choose_docker());
    const std::string bytes = TRY(files_.read(entry.string_or("Config"), registry::kMaxDocumentBytes));
    auto config = TRY_DOING(oci::ImageConfig::parse(bytes), format("reading {}", quoted(entry.string_or("Config"))));
    LayeredImage out = TRY(outline(std::move(config), request_.what));
    out.image.id = oci::Digest::of(bytes).str();
    TRY(check_platform(request_, out));
    const auto paths = entry.strings("Layers");
    if (paths.size() != out.image.layers.size()) return failf(Errc::corrupt, "the archive lists {} layers, the image config {}", paths.size(), out.image.layers.size());
    TRY(read_layers(out, paths));
    return out;
  }

  Result<LayeredImage> oci() {
    const auto entry = TRY(choose_oci());
    const auto document = TRY(find_manifest(entry));
    const auto manifest = TRY(oci::Manifest::parse(document));
    const std::string bytes = TRY(read_verified(manifest.config.digest));
    auto config = TRY(oci::ImageConfig::parse(bytes));
    LayeredImage out = TRY(outline(std::move(config), request_.what));
    out.image.id = manifest.config.digest.str();
    out.image.digest = oci::Digest::of(document).str();
    out.annotations = manifest.annotations;
    TRY(check_platform(request_, out));
    if (manifest.layers.size() != out.image.layers.size())
      return failf(Errc::corrupt, "the manifest lists {} layers, the image config {}", manifest.layers.size(), out.image.layers.size());
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      paths.push_back(path_of(manifest.layers[i].digest));
      out.image.layers[i].digest = manifest.layers[i].digest.str();
      out.image.layers[i].media_type = manifest.layers[i].media_type;
      out.image.layers[i].compressed_bytes = manifest.layers[i].size;
    }
    TRY(read_layers(out, paths));
    return out;
  }

 private:
  Result<json::Value> choose_docker() {
    const std::string text = TRY(files_.read("manifest.json", registry::kMaxDocumentBytes));
    const auto list = TRY_DOING(json::parse(text), "reading manifest.json");
    if (!list.is_array()) return fail(Errc::corrupt, "manifest.json is not a list");
    std::vector<std::string> have;
    for (const auto& one : list.as_array()) {
      const auto names = one.strings("RepoTags");
      have.insert(have.end(), names.begin(), names.end());
      if (!place_.name.empty() && std::ranges::any_of(names, [&](const auto& name) { return is_called(name, place_.name); })) return one;
    }
    if (place_.name.empty() && list.as_array().size() == 1) return list.as_array()[0];
    return not_one(list.as_array().size(), have);
  }

  std::unexpected<Error> not_one(std::size_t count, const std::vector<std::string>& have) const {
    Error error = place_.name.empty() ? Error(Errc::invalid_argument, format("{} holds {} images: name one", request_.what, count))
                                      : Error(Errc::not_found, format("{}: no such image in there", place_.str()));
    if (have.empty()) return fail(std::move(error));
    return fail(std::move(error).with_hint(format("there is {}; docker-archive:PATH:NAME and oci-archive:PATH:NAME choose", join(have, ", "))));
  }

  Result<oci::Descriptor> choose_oci() {
    const std::string text = TRY(files_.read("index.json", registry::kMaxDocumentBytes));
    const auto index = TRY_DOING(oci::Index::parse(text), "reading index.json");
    std::vector<oci::Descriptor> found;
    std::vector<std::string> have;
    for (const auto& entry : index.manifests) {
      const std::string full = annotation(entry.annotations, kImageName), short_name = annotation(entry.annotations, kRefName);
      if (const std::string& name = full.empty() ? short_name : full; !name.empty()) have.push_back(name);
      if (!place_.name.empty() && short_name != place_.name && !is_called(full, place_.name)) continue;
      if (!place_.digest.empty() && entry.digest != place_.digest) continue;
      if (std::ranges::none_of(found, [&](const auto& other) { return other.digest == entry.digest; })) found.push_back(entry);
    }
    if (found.size() == 1) return found[0];
    if (found.empty() && !place_.digest.empty() && place_.name.empty()) return oci::Descriptor{.digest = place_.digest};   // part of another
    // Several images of one name, or of none, are those of several platforms.
    if (const bool are_platforms = !found.empty() && std::ranges::all_of(found, [](const auto& one) { return one.platform.has_value(); }); are_platforms) {
      const auto platform = TRY(wanted_platform(request_));
      return choose_entry({.manifests = std::move(found)}, platform);
    }
    return not_one(found.size(), have);
  }

  /// The image's manifest, through indexes.
  Result<std::string> find_manifest(oci::Descriptor entry) {
    const auto platform = TRY(wanted_platform(request_));
    for (int depth = 0; depth < kMaxDepth; ++depth) {
      std::string document = TRY(read_verified(entry.digest));
      const auto type = TRY(document_type(document, entry.media_type));
      if (!is_index(type)) return document;
      const auto index = TRY(oci::Index::parse(document));
      entry = TRY(choose_entry(index, platform));
    }
    return fail(Errc::unsupported, "indexes nested too deep");
  }

  Result<std::string> read_verified(const oci::Digest& digest) {
    std::string bytes = TRY(files_.read(path_of(digest), registry::kMaxDocumentBytes));
    if (const auto actual = oci::Digest::of(bytes); actual != digest)
      return failf(Errc::corrupt, "a document in {} is damaged\n  expected: {}\n  actual:   {}", request_.what, digest.str(), actual.str());
    return bytes;
  }

  Result<> read_layers(LayeredImage& out, const std::vector<std::string>& paths) {
    return run_each(engine_.pool(), cancel_, paths.size(), kLayersAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
      analyze::Layer& layer = out.image.layers[i];
      const auto bytes = TRY(files_.open_file(paths[i]));
      stream::PeekSource peeked(*bytes);
      const auto compression = stream::detect(TRY(peeked.peek(6)));
      // Of a Docker archive: what is compressed goes elsewhere as it is.
      if (layer.digest.empty() && compression != stream::Compression::none) layer.compressed_bytes = TRY(files_.size(paths[i]));
      TRY_DOING(read_layer_stream(peeked, out.config.diff_ids[i], layer, request_, stop), format("reading layer {} of {}", i, request_.what));
      return {};
    });
  }

  Engine& engine_;
  const ImageFiles& files_;
  const ImagePlace& place_;
  const ReadImage& request_;
  task::Cancel cancel_;
};

std::string instruction_of(std::string_view created_by) {
  constexpr std::string_view kShell = "/bin/sh -c ", kNop = "#(nop)", kComment = " # buildkit";
  if (created_by.ends_with(kComment)) created_by.remove_suffix(kComment.size());
  std::string prefix;
  if (created_by.starts_with("RUN ")) {
    prefix = "RUN ";
    created_by.remove_prefix(4);
  }
  // "|1 WORD=x /bin/sh -c ...": arguments in force.
  if (created_by.starts_with('|'))
    if (const auto shell = created_by.find(kShell); shell != created_by.npos) created_by.remove_prefix(shell);
  if (created_by.starts_with(kShell)) {
    created_by.remove_prefix(kShell.size());
    if (created_by.starts_with(kNop)) created_by = trim_left(created_by.substr(kNop.size()));
    else prefix = "RUN ";
  }
  return prefix + std::string(trim(created_by));
}

}  // namespace

Result<LayeredImage> outline(oci::ImageConfig config, std::string name) {
  LayeredImage out;
  if (config.diff_ids.size() > kMaxLayers) return failf(Errc::resource_exhausted, "the image has {} layers", config.diff_ids.size());
  out.image.name = std::move(name);
  out.image.platform = config.platform.str();
  out.image.layers.resize(config.diff_ids.size());
  for (std::size_t i = 0; i < config.diff_ids.size(); ++i) out.image.layers[i].diff_id = config.diff_ids[i].digest.str();
  std::size_t layer = 0;
  for (const auto& step : config.history) {
    if (step.empty_layer || layer == out.image.layers.size()) continue;
    out.image.layers[layer].created_by = step.created_by;
    out.image.layers[layer].instruction = step.created_by.empty() ? step.comment : instruction_of(step.created_by);
    ++layer;
  }
  out.config = std::move(config);
  return out;
}

Result<> read_layer_stream(stream::Source& bytes, const oci::DiffId& diff_id, analyze::Layer& layer, const ReadImage& request, task::Cancel cancel) {
  stream::PeekSource peeked(bytes);
  const auto compression = stream::detect(TRY(peeked.peek(6)));
  std::unique_ptr<stream::Source> decoded;
  if (compression != stream::Compression::none) decoded = TRY(stream::decompress(peeked, compression));
  stream::HashingSource plain(decoded ? *decoded : static_cast<stream::Source&>(peeked));
  TRY(analyze::read_tar_layer(plain, layer, {.wanted = request.wanted, .check = [&] { return cancel.check(); }}));
  if (const std::string actual = plain.finish_hex(); actual != diff_id.digest.hex())
    return failf(Errc::corrupt, "it is another layer than the image config says\n  expected: {}\n  actual:   sha256:{}", diff_id.digest.str(), actual);
  return {};
}

Result<LayeredImage> read_image_files(Engine& engine, const ImagePlace& place, bool any_kind, const ReadImage& request, task::Cancel cancel) {
  const auto files = TRY_DOING(ImageFiles::open(place.path, cancel), format("reading {}", request.what));
  FilesReader reader(engine, files, place, request, cancel);
  const bool has_docker = files.has("manifest.json"), has_oci = files.has("index.json");
  if (!has_docker && !has_oci)
    return fail(Error(Errc::corrupt, format("{} is no image: it has neither manifest.json nor index.json", request.what))
                    .with_hint("archives come from 'save' and from 'copy' to oci-archive: or docker-archive:"));
  // manifest.json knows one platform only.
  const bool as_docker = any_kind ? has_docker && !(has_oci && !request.platform.empty()) : place.kind == ImagePlace::Kind::docker_archive;
  if (as_docker && !has_docker) return fail(Error(Errc::corrupt, format("{} has no manifest.json", request.what)).with_hint("oci-archive: reads it"));
  if (!as_docker && !has_oci) return fail(Error(Errc::corrupt, format("{} has no index.json", request.what)).with_hint("docker-archive: reads it"));
  return as_docker ? reader.docker() : reader.oci();
}

Result<LayeredImage> read_remote_image(Engine& engine, const ImagePlace& place, const ReadImage& request, task::Cancel cancel) {
  CopySession session(request.remark);
  const auto source = TRY(open_source(session, place, cancel));
  const auto platform = TRY(wanted_platform(request));
  auto document = TRY(source->top(cancel));
  for (int depth = 0; is_index(document.media_type); ++depth) {
    if (depth == kMaxDepth) return fail(Errc::unsupported, "indexes nested too deep");
    const auto index = TRY(oci::Index::parse(document.bytes));
    const auto entry = TRY(choose_entry(index, platform));
    document = TRY(source->document(entry, cancel));
  }
  const auto manifest = TRY(oci::Manifest::parse(document.bytes));
  const auto config_blob = TRY(source->blob(manifest.config, cancel));
  const auto config_source = TRY(config_blob->from(0));
  const std::string bytes = TRY(stream::read_all(*config_source, registry::kMaxDocumentBytes));
  auto config = TRY_DOING(oci::ImageConfig::parse(bytes), format("reading the config of {}", request.what));
  LayeredImage out = TRY(outline(std::move(config), request.what));
  out.image.id = manifest.config.digest.str();
  out.image.digest = document.digest.str();
  out.annotations = manifest.annotations;
  TRY(check_platform(request, out));
  if (manifest.layers.size() != out.image.layers.size())
    return failf(Errc::corrupt, "the manifest lists {} layers, the image config {}", manifest.layers.size(), out.image.layers.size());
  TRY(run_each(session.pool, cancel, manifest.layers.size(), kLayersAtOnce, [&](std::size_t i, task::Cancel stop) -> Result<> {
    analyze::Layer& layer = out.image.layers[i];
    layer.digest = manifest.layers[i].digest.str();
    layer.media_type = manifest.layers[i].media_type;
    layer.compressed_bytes = manifest.layers[i].size;
    // Layers that depend on what lies below are not found this way, and fetched.
    const auto here = TRY(engine.layers().find(out.config.diff_ids[i], {}));
    if (here) {
      auto stored = TRY(read_stored_layer(engine, here->id, request));
      layer.entries = std::move(stored.entries);
      layer.whiteouts = std::move(stored.whiteouts);
      layer.contents = std::move(stored.contents);
      return {};
    }
    const task::Blocking blocking(session.pool);
    const auto blob = TRY(source->blob(manifest.layers[i], stop));
    const auto body = TRY(blob->from(0));
    TRY_DOING(read_layer_stream(*body, out.config.diff_ids[i], layer, request, stop), format("reading layer {} of {}", i, request.what));
    return {};
  }));
  return out;
}

}  // namespace mica::engine
