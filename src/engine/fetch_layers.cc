// Layers of an image side by side. Each is unpacked while it comes, as if nothing were below it, since the layers below are on their way
// too; that is right for nearly all layers (their tars hold the folders above each entry). One whose outcome does depend on what is below
// (snapshot::UnpackedLayer::tied), or that cannot be unpacked alone, is unpacked again from the store once its turn has come.
#include <map>
#include <mutex>

#include "base/format.h"
#include "engine/blob_download.h"
#include "engine/fetch_image.h"
#include "engine/layer_bytes.h"
#include "snapshot/layer_tar.h"
#include "store/layer_blobs.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

constexpr int kLayersAtOnce = 4;
constexpr int kSpareConnections = 4;  // beside those: registries answer more than some eight with 429
constexpr int kMaxSources = 8;        // mirrors and an earlier download, each of which may have had wrong bytes

struct Layer {
  oci::DiffId diff_id;
  oci::Descriptor blob;
  std::optional<snapshot::UnpackedLayer> unpacked;
  stream::Compression compression = stream::Compression::none;
  bool resumed = false;               ///< its download went on behind bytes of an earlier one
  bool fetched = false;               ///< its blob is in the store, or the layer itself is
  bool first = true;                  ///< an image may hold one layer twice
};

class Fetch {
 public:
  Fetch(Engine& engine, const RemoteImage& image, const TransferEvents& events) : engine_(engine), image_(image), events_(events) {}

  Result<snapshot::Chain> run(task::Cancel cancel) {
    std::map<oci::DiffId, bool> seen;
    for (std::size_t i = 0; i < image_.config.diff_ids.size(); ++i) {
      layers_.push_back({.diff_id = image_.config.diff_ids[i], .blob = image_.parsed.layers[i]});
      layers_.back().first = !std::exchange(seen[layers_.back().diff_id], true);
    }
    task::Group group(engine_.pool(), cancel);
    for (Layer& layer : layers_) say(layer, "Pulling fs layer");
    TRY(advance(cancel));
    for (std::size_t i = chain_.size(); i < layers_.size(); ++i) {
      if (!layers_[i].first) {
        layers_[i].fetched = true;
        continue;
      }
      const auto here = TRY(engine_.layers().find(layers_[i].diff_id, {}));
      if (here && engine_.workspace().lease(engine_.database(), {here->id})) layers_[i].fetched = true;
      else group.run([this, i](task::Cancel stop) { return fetch(layers_[i], stop); });
    }
    TRY(group.wait());
    TRY(advance(cancel));
    return chain_;
  }

 private:
  void say(const Layer& layer, std::string_view status, std::int64_t done = 0) {
    if (!events_) return;
    const std::lock_guard lock(saying_);
    events_({.id = layer.blob.digest.short_hex(), .status = std::string(status), .done = done, .total = done > 0 ? layer.blob.size : 0});
  }

  Result<> fetch(Layer& layer, task::Cancel cancel) {
    {
      auto place = [&] {
        const task::Blocking blocking(engine_.pool());
        return limit_.take(cancel);
      }();
      const auto hold = TRY(std::move(place));
      auto done = fetch_and_unpack(layer, cancel);
      // Bytes of a mirror, or of an earlier download, may be wrong where the registry's own are not.
      for (int again = 0; !done && again < kMaxSources && worth_repeating(done.error(), layer); ++again) done = fetch_and_unpack(layer, cancel);
      TRY_DOING(std::move(done), format("fetching layer {} of {}", layer.blob.digest.short_hex(), image_.reference.familiar()));
    }
    return advance(cancel);
  }

  bool worth_repeating(const Error& error, const Layer& layer) const {
    if (error.code() != Errc::corrupt || engine_.blobs().has(layer.blob.digest)) return false;
    return image_.repository.distrust(layer.blob.digest) || layer.resumed;
  }

  Result<> fetch_and_unpack(Layer& layer, const task::Cancel& cancel) {
    auto download = TRY(BlobDownload::begin(engine_, layer.blob, cancel));
    layer.resumed = download->is_resumed();
    say(layer, "Downloading");
    task::Group receiving(engine_.pool(), cancel);
    receiving.run([&, promise = download->promise()](task::Cancel stop) -> Result<> {
      TRY(download->run(image_.repository, [&](std::int64_t done) { say(layer, "Downloading", done); }, spare_, stop));
      say(layer, "Download complete");
      return {};
    });
    const auto bytes = TRY(download->read());
    auto unpacked = unpack(layer, *bytes, snapshot::TreeView(std::vector<snapshot::TreeView::Layer>{}), cancel);
    const bool hopeless = !unpacked && (unpacked.error().code() == Errc::resource_exhausted || unpacked.error().code() == Errc::cancelled);
    if (hopeless && receiving.cancel().stopped()) TRY(receiving.wait());
    if (hopeless) return fail(std::move(unpacked).error());
    TRY(receiving.wait());
    if (unpacked && unpacked->diff_id != layer.diff_id) return fail(not_that_layer(layer, unpacked->diff_id));
    if (unpacked && !unpacked->tied) layer.unpacked = std::move(*unpacked);
    const std::lock_guard lock(committing_);
    layer.fetched = true;
    return {};
  }

  Result<snapshot::UnpackedLayer> unpack(Layer& layer, stream::Source& bytes, const snapshot::TreeView& lower, const task::Cancel& cancel) {
    stream::PeekSource peeked(bytes);
    layer.compression = stream::detect(TRY(peeked.peek(6)));
    std::unique_ptr<stream::Source> plain;
    if (layer.compression != stream::Compression::none) plain = TRY(stream::decompress(peeked, layer.compression));
    return snapshot::unpack_layer_tar(plain ? *plain : static_cast<stream::Source&>(peeked), engine_.layers(), lower, engine_.pool(), cancel);
  }

  static Error not_that_layer(const Layer& layer, const oci::DiffId& actual) {
    return Error(Errc::corrupt, format("the layer's content does not match the image config\n  expected: {}\n  actual:   {}", layer.diff_id.digest.str(), actual.digest.str()));
  }

  /// Commits, bottom first, all layers whose turn has come.
  Result<> advance(const task::Cancel& cancel) {
    const std::lock_guard lock(committing_);
    if (failed_) return fail(*failed_);
    auto done = commit_ready(cancel);
    if (!done) failed_ = done.error();      // what was to be committed may be gone: nobody tries again
    return done;
  }

  Result<> commit_ready(const task::Cancel& cancel) {
    while (chain_.size() < layers_.size()) {
      Layer& layer = layers_[chain_.size()];
      std::string id;
      const auto known = TRY(engine_.layers().find(layer.diff_id, chain_));
      if (known && engine_.workspace().lease(engine_.database(), {known->id})) {
        id = known->id;
        say(layer, "Already exists");
      } else if (layer.fetched) {
        id = TRY_DOING(commit(layer, cancel), format("unpacking layer {} of {}", layer.blob.digest.short_hex(), image_.reference.familiar()));
        say(layer, "Pull complete");
      } else {
        return {};
      }
      layer.unpacked.reset();
      chain_.push_back(std::move(id));
    }
    return {};
  }

  Result<std::string> commit(Layer& layer, const task::Cancel& cancel) {
    say(layer, "Extracting");
    if (!layer.unpacked) {
      if (!engine_.blobs().has(layer.blob.digest)) {   // it was here on top of other layers only, or went away meanwhile
        const auto download = TRY(BlobDownload::begin(engine_, layer.blob, cancel));
        TRY(download->run(image_.repository, {}, spare_, cancel));
      }
      auto file = TRY(engine_.blobs().open(layer.blob.digest));
      stream::FdSource bytes(std::move(file));
      const auto lower = TRY(engine_.layers().view(chain_));
      layer.unpacked = TRY(unpack(layer, bytes, lower, cancel));
      if (layer.unpacked->diff_id != layer.diff_id) return fail(not_that_layer(layer, layer.unpacked->diff_id));
    }
    auto unpacked = std::move(*layer.unpacked);
    layer.unpacked.reset();
    auto made = TRY(snapshot::commit_unpacked(std::move(unpacked), engine_.layers(), chain_));
    TRY(engine_.workspace().lease(engine_.database(), {made.id}));
    TRY(store::LayerBlobs(engine_.database())
            .put({.diff_id = layer.diff_id, .digest = layer.blob.digest, .media_type = std::string(layer_media_type(layer.compression)), .size = layer.blob.size, .original = true}));
    return std::move(made.id);
  }

  Engine& engine_;
  const RemoteImage& image_;
  const TransferEvents& events_;
  task::Limit limit_{kLayersAtOnce};
  std::atomic<int> spare_{kSpareConnections};
  std::vector<Layer> layers_;
  snapshot::Chain chain_;
  std::optional<Error> failed_;       // of a commit
  std::mutex committing_;             // of chain_, failed_ and what is committed
  std::mutex saying_;
};

}  // namespace

Result<snapshot::Chain> fetch_layers(Engine& engine, const RemoteImage& image, const TransferEvents& events, task::Cancel cancel) {
  return Fetch(engine, image, events).run(cancel);
}

}  // namespace mica::engine
