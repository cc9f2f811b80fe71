#include "engine/push_layers.h"

#include <map>
#include <mutex>

#include "base/format.h"
#include "base/log.h"
#include "engine/layer_body.h"

namespace mica::engine {
namespace {

constexpr int kBlobsAtOnce = 5;

struct Layer {
  snapshot::LayerId id;
  oci::DiffId diff_id;
  std::optional<store::LayerBlob> blob;     ///< as it is or will be sent; nullopt: not made yet
  bool first = true;                        ///< an image may hold one layer twice
};

class Push {
 public:
  Push(Engine& engine, const registry::Repository& repository, const store::ImageRow& image, const std::string& tag, const LayerForm& form,
       const oci::Annotations& annotations, const TransferEvents& events)
      : engine_(engine), repository_(repository), image_(image), tag_(tag), form_(form), annotations_(annotations), events_(events) {}

  Result<PushedManifest> run(task::Cancel cancel) {
    config_ = TRY(engine_.blobs().read(image_.id.digest));
    TRY(choose_blobs(cancel));
    PushedManifest pushed;
    if (const bool known = prepare(pushed); known && TRY(is_there(pushed, cancel))) {
      for (const Layer& layer : layers_) say(layer, "Layer already exists");
      pushed.was_there = true;
      return pushed;
    }
    TRY(send_blobs(cancel));
    prepare(pushed);
    oci::Reference name{.registry = repository_.registry(), .path = repository_.path(), .tag = tag_};
    if (tag_.empty()) name.digest = pushed.descriptor.digest;
    TRY(repository_.put_document(name, pushed.descriptor.media_type, pushed.bytes, cancel));
    return pushed;
  }

 private:
  void say(const Layer& layer, std::string status, std::int64_t done = 0) {
    if (!events_) return;
    const std::lock_guard lock(saying_);
    events_({.id = layer.diff_id.digest.short_hex(), .status = std::move(status), .done = done, .total = done > 0 && layer.blob ? layer.blob->size : 0});
  }

  /// The manifest that the image came with, if all of its blobs are here; else every layer's remembered blob.
  Result<> choose_blobs(const task::Cancel& cancel) {
    std::map<oci::DiffId, bool> seen;
    for (const auto& id : image_.layers) {
      Layer layer{.id = id};
      layer.diff_id = TRY(engine_.layers().diff_id(id, cancel));
      layer.first = !std::exchange(seen[layer.diff_id], true);
      layers_.push_back(std::move(layer));
    }
    if (!form_.force && annotations_.empty() && take_original()) return {};
    for (Layer& layer : layers_) layer.blob = TRY(remembered_blob(engine_, layer.diff_id, form_));
    return {};
  }
  bool take_original() {
    if (image_.manifest.empty()) return false;
    auto bytes = engine_.blobs().read(image_.manifest);
    if (!bytes) return false;
    auto manifest = oci::Manifest::parse(*bytes);
    if (!manifest || manifest->config.digest != image_.id.digest || manifest->layers.size() != layers_.size()) return false;
    for (const auto& blob : manifest->layers)
      if (!engine_.blobs().has(blob.digest)) {
        log::debug("blob {} of the manifest that the image came with is gone: a new manifest is made", blob.digest.short_hex());
        return false;
      }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const auto& blob = manifest->layers[i];
      layers_[i].blob = {.diff_id = layers_[i].diff_id, .digest = blob.digest, .media_type = blob.media_type, .size = blob.size, .original = true};
    }
    original_ = std::move(*bytes);
    original_type_ = manifest->media_type.empty() ? std::string(oci::kOciManifest) : manifest->media_type;
    return true;
  }

  /// The manifest's bytes, once all blobs are known. False: not yet.
  bool prepare(PushedManifest& pushed) const {
    pushed.bytes = original_;
    pushed.descriptor.media_type = original_type_;
    if (original_.empty()) {
      oci::Manifest manifest{.media_type = std::string(oci::kOciManifest), .annotations = annotations_};
      manifest.config = {.media_type = std::string(oci::kOciConfig), .digest = image_.id.digest, .size = static_cast<std::int64_t>(config_.size())};
      for (const Layer& layer : layers_) {
        if (!layer.blob) return false;
        manifest.layers.push_back({.media_type = layer.blob->media_type, .digest = layer.blob->digest, .size = layer.blob->size});
      }
      pushed.bytes = manifest.write();
      pushed.descriptor.media_type = manifest.media_type;
    }
    pushed.descriptor.digest = oci::Digest::of(pushed.bytes);
    pushed.descriptor.size = static_cast<std::int64_t>(pushed.bytes.size());
    return true;
  }

  /// The tag stands for this manifest already; or the repository has it, and only the tag is missing.
  Result<bool> is_there(const PushedManifest& pushed, const task::Cancel& cancel) {
    oci::Reference name{.registry = repository_.registry(), .path = repository_.path(), .digest = pushed.descriptor.digest};
    if (!tag_.empty()) {
      oci::Reference tagged = name;
      tagged.digest = {};
      tagged.tag = tag_;
      auto there = repository_.resolve(tagged, cancel);
      if (there && there->digest == pushed.descriptor.digest) return true;
      if (!there && there.error().code() != Errc::not_found) return fail(std::move(there).error());
      if (!there) return false;                             // most likely a new repository: not worth a second question
    }
    const auto there = repository_.resolve(name, cancel);
    if (!there) return false;
    if (!tag_.empty()) {
      name.digest = {};
      name.tag = tag_;
      TRY(repository_.put_document(name, pushed.descriptor.media_type, pushed.bytes, cancel));
    }
    return true;
  }

  Result<> send_blobs(const task::Cancel& cancel) {
    mount_from_ = TRY(engine_.images().repositories_with(image_.id, repository_.registry()));
    std::erase(mount_from_, repository_.path());
    for (const Layer& layer : layers_) say(layer, "Preparing");
    task::Group group(engine_.pool(), cancel);
    group.run([this](task::Cancel stop) -> Result<> {
      const task::Blocking blocking(engine_.pool());
      MemoryBody body(config_);
      TRY_DOING(repository_.upload(image_.id.digest, body, mount_from_, stop), "pushing the image config");
      return {};
    });
    for (Layer& layer : layers_)
      if (layer.first)
        group.run([this, &layer](task::Cancel stop) -> Result<> {
          TRY_DOING(send(layer, stop), format("pushing layer {}", layer.diff_id.digest.short_hex()));
          return {};
        });
    TRY(group.wait());
    for (Layer& layer : layers_)
      if (!layer.blob)
        for (const Layer& twin : layers_)
          if (twin.first && twin.diff_id == layer.diff_id) layer.blob = twin.blob;
    return {};
  }

  Result<> send(Layer& layer, const task::Cancel& cancel) {
    auto place = [&] {
      const task::Blocking blocking(engine_.pool());
      return limit_.take(cancel);
    }();
    const auto hold = TRY(std::move(place));
    const auto progress = [&](std::int64_t done) { say(layer, "Pushing", done); };
    if (layer.blob) {
      StoredBody body(engine_, layer.blob->digest, layer.blob->size);
      const task::Blocking blocking(engine_.pool());
      if (engine_.blobs().has(layer.blob->digest)) {
        const auto sent = TRY(repository_.upload(layer.blob->digest, body, mount_from_, cancel, progress));
        tell(layer, sent);
        return {};
      }
      const auto there = TRY(repository_.has_blob(layer.blob->digest, cancel));   // its bytes can be made again, but need not
      if (there) {
        say(layer, "Layer already exists");
        return {};
      }
    }
    return make_and_send(layer, progress, cancel);
  }

  Result<> make_and_send(Layer& layer, const std::function<void(std::int64_t)>& progress, const task::Cancel& cancel) {
    task::Group making(engine_.pool(), cancel);
    const auto compressed = TRY(CompressedLayer::start(engine_, layer.id, form_, making));
    auto upload = [&] {
      const task::Blocking blocking(engine_.pool());
      return repository_.upload({}, compressed->body(), mount_from_, making.cancel(), progress);
    }();
    if (!upload) {
      making.cancel().stop();
      auto made = making.wait();
      if (!made && made.error().code() != Errc::cancelled) return made;   // what stopped the upload too
      return fail(std::move(upload).error());
    }
    TRY(making.wait());
    layer.blob = TRY(compressed->keep(layer.diff_id));
    tell(layer, *upload);
    return {};
  }

  void tell(const Layer& layer, const registry::Uploaded& sent) {
    using How = registry::Uploaded::How;
    say(layer, sent.how == How::existed ? "Layer already exists" : sent.how == How::mounted ? "Mounted from " + sent.mounted_from : "Pushed");
  }

  Engine& engine_;
  const registry::Repository& repository_;
  const store::ImageRow& image_;
  const std::string& tag_;
  const LayerForm& form_;
  const oci::Annotations& annotations_;
  const TransferEvents& events_;
  std::string config_, original_, original_type_;
  std::vector<Layer> layers_;
  std::vector<std::string> mount_from_;
  task::Limit limit_{kBlobsAtOnce};
  std::mutex saying_;
};

}  // namespace

Result<PushedManifest> push_manifest(Engine& engine, const registry::Repository& repository, const store::ImageRow& image, const std::string& tag,
                                     const LayerForm& form, const oci::Annotations& annotations, const TransferEvents& events, task::Cancel cancel) {
  return Push(engine, repository, image, tag, form, annotations, events).run(cancel);
}

}  // namespace mica::engine
