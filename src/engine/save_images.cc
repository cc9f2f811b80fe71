#include "engine/save_images.h"

#include <fcntl.h>
#include <unistd.h>

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"
#include "engine/images.h"
#include "engine/layer_bytes.h"

namespace mica::engine {
namespace {

class CountingSink : public stream::Sink {
 public:
  Result<> write(std::span<const unsigned char> bytes) override {
    size_ += bytes.size();
    return {};
  }
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
};
class EntrySink : public stream::Sink {
 public:
  explicit EntrySink(archive::TarWriter& tar) : tar_(tar) {}
  Result<> write(std::span<const unsigned char> bytes) override { return tar_.write(bytes); }

 private:
  archive::TarWriter& tar_;
};


void add_name(std::vector<oci::Reference>& names, const oci::Reference& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

Result<std::vector<ArchivedImage>> choose(Engine& engine, const std::vector<std::string>& wanted) {
  std::vector<ArchivedImage> chosen;
  const auto all = TRY(engine.images().names());
  auto add = [&](const store::ImageRow& image) -> ArchivedImage& {
    for (auto& one : chosen)
      if (one.id == image.id) return one;
    return chosen.emplace_back(ArchivedImage{.id = image.id, .layers = image.layers});
  };
  for (const auto& name : wanted) {
    const auto bare = oci::Reference::parse(name, false);
    bool any = false;
    if (bare && bare->tag.empty() && bare->digest.empty()) {
      for (const auto& row : all) {
        if (row.reference.repository() != bare->repository()) continue;
        const auto image = TRY(engine.images().find(row.id));
        if (!image) continue;
        add_name(add(*image).names, row.reference);
        any = true;
      }
    }
    if (any) continue;
    const auto image = TRY(engine.images().resolve(name));
    ArchivedImage& one = add(image);
    if (const auto reference = oci::Reference::parse(name); reference && reference->digest.empty())
      for (const auto& row : all)
        if (row.id == image.id && row.reference == *reference) add_name(one.names, row.reference);
  }
  for (auto& one : chosen) one.config = TRY(engine.blobs().read(one.id.digest));
  return chosen;
}

oci::Descriptor descriptor(std::string_view media_type, const oci::Digest& digest, std::uint64_t size) {
  return {.media_type = std::string(media_type), .digest = digest, .size = static_cast<std::int64_t>(size)};
}

json::Value descriptor_json(const oci::Descriptor& d) {
  json::Value value = json::Value::object();
  value.set("mediaType", d.media_type);
  value.set("size", d.size);
  value.set("digest", d.digest.str());
  return value;
}

class Saver {
 public:
  Saver(Engine& engine, stream::Sink& to, task::Cancel cancel) : engine_(engine), to_(to), tar_(to), cancel_(cancel) {}

  Result<> run(const std::vector<ArchivedImage>& images) {
    TRY(folder("blobs"));
    TRY(folder("blobs/sha256"));
    oci::Index index{.media_type = std::string(oci::kOciIndex)};
    json::Value manifests = json::Value::array(), repositories;
    for (const auto& image : images) TRY(one(image, index, manifests, repositories));
    TRY(file("index.json", index.write()));
    TRY(file("manifest.json", json::write(manifests) + "\n"));
    TRY(file("oci-layout", R"({"imageLayoutVersion": "1.0.0"})"));
    if (repositories.is_object()) TRY(file("repositories", json::write(repositories) + "\n"));
    TRY(tar_.finish());
    return to_.finish();
  }

 private:
  Result<> folder(const std::string& path) {
    return tar_.add({.type = archive::EntryType::directory, .path = path, .mode = 0755});
  }
  Result<> file(const std::string& path, std::string_view bytes) {
    TRY(tar_.add({.path = path, .mode = 0644, .size = bytes.size()}));
    return tar_.write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
  }
  Result<> blob(const oci::Digest& digest, std::string_view bytes) {
    if (!written_.emplace(digest, bytes.size()).second) return {};
    return file("blobs/sha256/" + digest.hex(), bytes);
  }

  /// Two passes: a tar entry's size stands before its bytes.
  Result<oci::Descriptor> layer(const snapshot::LayerId& id) {
    const auto diff_id = TRY(engine_.layers().diff_id(id, cancel_));
    if (const auto done = written_.find(diff_id.digest); done != written_.end()) return descriptor(oci::kOciLayer, diff_id.digest, done->second);
    CountingSink count;
    TRY(write_layer_bytes(engine_, id, count, cancel_));
    TRY(tar_.add({.path = "blobs/sha256/" + diff_id.digest.hex(), .mode = 0644, .size = count.size()}));
    EntrySink entry(tar_);
    TRY(write_layer_bytes(engine_, id, entry, cancel_));
    written_[diff_id.digest] = count.size();
    return descriptor(oci::kOciLayer, diff_id.digest, count.size());
  }

  Result<> one(const ArchivedImage& chosen, oci::Index& index, json::Value& manifests, json::Value& repositories) {
    oci::Manifest manifest{.media_type = std::string(oci::kOciManifest), .annotations = chosen.annotations};
    manifest.config = descriptor(oci::kOciConfig, chosen.id.digest, chosen.config.size());
    json::Value sources = json::Value::object(), layers = json::Value::array(), tags;
    for (const auto& id : chosen.layers) {
      auto written = TRY(layer(id));
      layers.push("blobs/sha256/" + written.digest.hex());
      sources.set(written.digest.str(), descriptor_json(written));
      manifest.layers.push_back(std::move(written));
    }
    TRY(blob(chosen.id.digest, chosen.config));
    const std::string bytes = manifest.write();
    const auto digest = oci::Digest::of(bytes);
    TRY(blob(digest, bytes));

    auto entry = descriptor(oci::kOciManifest, digest, bytes.size());
    if (chosen.names.empty()) index.manifests.push_back(entry);
    for (const auto& name : chosen.names) {
      entry.annotations = {{"io.containerd.image.name", name.str()}, {"org.opencontainers.image.ref.name", name.tag}};
      index.manifests.push_back(entry);
      tags.push(name.familiar());
      if (manifest.layers.empty()) continue;
      json::Value& repository = repositories.find(name.familiar_name()) ? *repositories.find(name.familiar_name())
                                                                        : repositories.set(name.familiar_name(), json::Value::object());
      repository.set(name.tag, manifest.layers.back().digest.hex());
    }
    json::Value item = json::Value::object();
    item.set("Config", "blobs/sha256/" + chosen.id.digest.hex());
    item.set("RepoTags", std::move(tags));
    item.set("Layers", std::move(layers));
    item.set("LayerSources", std::move(sources));
    manifests.push(std::move(item));
    return {};
  }

  Engine& engine_;
  stream::Sink& to_;
  archive::TarWriter tar_;
  task::Cancel cancel_;
  std::map<oci::Digest, std::uint64_t> written_;
};

}  // namespace

Result<> write_image_archive(Engine& engine, const std::vector<ArchivedImage>& images, stream::Sink& to, task::Cancel cancel) {
  return Saver(engine, to, cancel).run(images);
}

Result<> write_output_file(const std::string& path, const std::function<Result<>(stream::Sink&)>& write) {
  if (path == "-") {
    const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return fail_errno("writing standard output");
    stream::FdSink sink{sys::Fd(copy)};
    return write(sink);
  }
  // A device or pipe is written to; renaming over it would replace it.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    auto file = TRY(sys::open(path, O_WRONLY));
    stream::FdSink sink(std::move(file));
    return write(sink);
  }
  const std::string temporary = format("{}.{}.partial", path, random_hex(4));
  auto file = TRY(sys::open(temporary, O_CREAT | O_EXCL | O_WRONLY, 0644));
  auto copy = TRY(file.duplicate());
  stream::FdSink sink(std::move(copy));
  auto written = write(sink);
  if (written) written = sys::sync(file);
  if (written) written = sys::rename(temporary, path);
  if (!written) (void)sys::remove_file(temporary);
  return written;
}

Result<> save_images(Engine& engine, const SaveImages& request, stream::Sink& to, task::Cancel cancel) {
  const auto images = TRY(choose(engine, request.names));
  std::vector<std::string> layers;
  for (const auto& one : images) layers.insert(layers.end(), one.layers.begin(), one.layers.end());
  // Nothing goes away from a store that cannot be written.
  if (!layers.empty() && engine.has_workspace()) TRY(engine.workspace().lease(engine.database(), layers));
  return write_image_archive(engine, images, to, cancel);
}

Result<> save_images_to_file(Engine& engine, const SaveImages& request, const std::string& path, task::Cancel cancel) {
  return write_output_file(path, [&](stream::Sink& sink) { return save_images(engine, request, sink, cancel); });
}

}  // namespace mica::engine
