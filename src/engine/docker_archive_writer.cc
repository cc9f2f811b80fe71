#include "engine/docker_archive_writer.h"

namespace mica::engine {
namespace {

class EntrySink : public stream::Sink {
 public:
  explicit EntrySink(archive::TarWriter& tar) : tar_(tar) {}
  Result<> write(std::span<const unsigned char> bytes) override { return tar_.write(bytes); }

 private:
  archive::TarWriter& tar_;
};

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

json::Value descriptor_json(const oci::Descriptor& d) {
  json::Value value = json::Value::object();
  value.set("mediaType", d.media_type);
  value.set("size", d.size);
  value.set("digest", d.digest.str());
  return value;
}

}  // namespace

Result<> DockerArchiveWriter::begin() {
  TRY(folder("blobs"));
  return folder("blobs/sha256");
}

const oci::Descriptor* DockerArchiveWriter::find(const oci::DiffId& layer) const {
  const auto found = layers_.find(layer.digest);
  return found == layers_.end() ? nullptr : &found->second;
}

Result<> DockerArchiveWriter::add_layer(const oci::DiffId& layer, std::uint64_t size, const std::function<Result<>(stream::Sink&)>& write) {
  TRY(tar_.add({.path = blob_path(layer.digest), .mode = 0644, .size = size}));
  EntrySink entry(tar_);
  TRY(write(entry));
  written_.insert(layer.digest);
  layers_[layer.digest] = {.media_type = std::string(oci::kOciLayer), .digest = layer.digest, .size = static_cast<std::int64_t>(size)};
  return {};
}

Result<> DockerArchiveWriter::add_image(const Image& image) {
  oci::Manifest manifest{.media_type = std::string(oci::kOciManifest), .annotations = image.annotations};
  json::Value sources = json::Value::object(), paths = json::Value::array(), tags;
  for (const auto& id : image.layers) {
    const oci::Descriptor* layer = find(id);
    MICA_ASSERT(layer, "an image comes after its layers");
    paths.push(blob_path(layer->digest));
    sources.set(layer->digest.str(), descriptor_json(*layer));
    manifest.layers.push_back(*layer);
  }
  manifest.config = TRY(blob(oci::kOciConfig, image.config));
  auto entry = TRY(blob(oci::kOciManifest, manifest.write()));
  if (image.names.empty()) index_.manifests.push_back(entry);
  for (const auto& name : image.names) {
    entry.annotations = {{"io.containerd.image.name", name.str()}, {"org.opencontainers.image.ref.name", name.tag}};
    index_.manifests.push_back(entry);
    tags.push(name.familiar());
    if (manifest.layers.empty()) continue;
    const std::string repository = name.familiar_name();
    json::Value* known = repositories_.find(repository);
    (known ? *known : repositories_.set(repository, json::Value::object())).set(name.tag, manifest.layers.back().digest.hex());
  }
  json::Value item = json::Value::object();
  item.set("Config", blob_path(manifest.config.digest));
  item.set("RepoTags", std::move(tags));
  item.set("Layers", std::move(paths));
  item.set("LayerSources", std::move(sources));
  manifests_.push(std::move(item));
  return {};
}

Result<> DockerArchiveWriter::finish() {
  TRY(file("index.json", index_.write()));
  TRY(file("manifest.json", json::write(manifests_) + "\n"));
  TRY(file("oci-layout", R"({"imageLayoutVersion": "1.0.0"})"));
  if (repositories_.is_object()) TRY(file("repositories", json::write(repositories_) + "\n"));
  TRY(tar_.finish());
  return to_.finish();
}

Result<> DockerArchiveWriter::folder(const std::string& path) { return tar_.add({.type = archive::EntryType::directory, .path = path, .mode = 0755}); }

Result<> DockerArchiveWriter::file(const std::string& path, std::string_view bytes) {
  TRY(tar_.add({.path = path, .mode = 0644, .size = bytes.size()}));
  return tar_.write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

Result<oci::Descriptor> DockerArchiveWriter::blob(std::string_view media_type, std::string_view bytes) {
  const oci::Descriptor descriptor{.media_type = std::string(media_type), .digest = oci::Digest::of(bytes), .size = static_cast<std::int64_t>(bytes.size())};
  if (written_.insert(descriptor.digest).second) TRY(file(blob_path(descriptor.digest), bytes));
  return descriptor;
}

}  // namespace mica::engine
