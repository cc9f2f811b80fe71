#include "engine/store_registry.h"

#include <mutex>
#include <set>

#include "base/format.h"
#include "base/guarded.h"
#include "engine/add_image.h"
#include "engine/collect_garbage.h"
#include "engine/layer_body.h"
#include "engine/layer_bytes.h"
#include "oci/image.h"
#include "registry/server_routes.h"
#include "store/kept_indexes.h"

namespace mica::engine {
namespace {

using registry::DocumentLinks;
using registry::StoredDocument;

constexpr std::size_t kMaxConfig = 16 << 20, kMaxDocument = 16 << 20;

class StoreUpload : public registry::StoredUpload {
 public:
  explicit StoreUpload(std::unique_ptr<store::BlobStore::Ingest> ingest) : ingest_(std::move(ingest)) {}
  std::int64_t size() const override { return ingest_->size(); }
  Result<> append(std::span<const unsigned char> bytes) override { return ingest_->write(bytes); }
  Result<> commit(const oci::Digest& expected) override {
    TRY(ingest_->commit(expected));
    return {};
  }

 private:
  std::unique_ptr<store::BlobStore::Ingest> ingest_;
};

/// Layers that pushes have leased are released when no push is under way any more: a server lives long, and what it leases nobody can prune.
class Leases {
 public:
  explicit Leases(Engine& engine) : engine_(engine) {}
  class Hold {
   public:
    explicit Hold(Leases& leases) : leases_(leases) { ++*leases_.active_.lock(); }
    ~Hold() {
      auto active = leases_.active_.lock();
      if (--*active == 0) (void)leases_.engine_.workspace().release(leases_.engine_.database());
    }

   private:
    Leases& leases_;
  };

 private:
  Engine& engine_;
  Guarded<int> active_;
};

class StoreRegistry : public registry::Storage {
 public:
  StoreRegistry(Engine& engine, task::Cancel cancel) : engine_(engine), cancel_(std::move(cancel)), leases_(engine) {}

  Result<StoredDocument> document(const std::string& repository, const std::string& tag_or_digest) override {
    if (tag_or_digest.find(':') == tag_or_digest.npos) {
      const auto reference = TRY(reference_of(repository, tag_or_digest));
      const auto name = TRY(engine_.images().find_name(reference));
      if (!name) return failf(Errc::not_found, "there is no image {}", reference.familiar());
      if (const auto index = TRY(indexes_.find(reference)))
        if (auto kept = kept_document(*index)) return std::move(*kept);
      return manifest_of(name->id, reference);
    }
    const auto digest = TRY(oci::Digest::parse(tag_or_digest));
    auto reference = TRY(reference_of(repository, "latest"));
    reference.tag.clear();
    reference.digest = digest;
    const auto name = TRY(engine_.images().find_name(reference));
    if (!name && !has_passed(repository, digest) && !TRY(is_of_index(reference))) return failf(Errc::not_found, "there is no image {}", reference.familiar());
    if (auto kept = kept_document(digest)) return std::move(*kept);
    if (!name) return failf(Errc::not_found, "there is no manifest {}", digest.str());
    auto made = TRY(manifest_of(name->id, reference));
    if (made.digest != digest) return failf(Errc::not_found, "the manifest {} is gone from the store", digest.str());
    return made;
  }

  Result<> put_document(const std::string& repository, const std::vector<std::string>& tags, const StoredDocument& document,
                        const DocumentLinks& links) override {
    const Leases::Hold leases(leases_);
    const auto hold = TRY(hold_off_collection(engine_));
    for (const auto& blob : links.blobs) TRY(check_there("blob", blob));
    for (const auto& inner : links.documents) TRY(check_there("manifest", inner));
    std::vector<oci::Reference> names;
    auto known = TRY(reference_of(repository, "latest"));
    known.tag.clear();
    known.digest = document.digest;
    names.push_back(known);
    for (const auto& tag : tags) {
      auto name = TRY(reference_of(repository, tag));
      names.push_back(std::move(name));
    }
    TRY(engine_.blobs().put(document.bytes));
    pass(repository, document.digest);
    if (is_image_index(links.media_type)) {
      if (tags.empty()) return {};
      const std::vector<oci::Reference> tagged(names.begin() + 1, names.end());
      TRY(enter_index(document, std::move(names)));
      for (const auto& name : tagged) TRY(indexes_.put(name, document.digest));
      return {};
    }
    TRY(enter_manifest(document.bytes, names, tags.empty() ? Entering::if_for_us : Entering::must));
    for (const auto& name : names)
      if (!name.tag.empty()) TRY(indexes_.remove(name));
    return {};
  }

  Result<> remove_document(const std::string&, const oci::Digest&) override {
    return fail(Errc::unsupported, "images of a store are removed with 'mica rmi'");
  }
  Result<> remove_tag(const std::string& repository, const std::string& tag) override {
    const auto reference = TRY(reference_of(repository, tag));
    if (!TRY(engine_.images().remove_name(reference))) return failf(Errc::not_found, "there is no image {}", reference.familiar());
    return {};
  }

  Result<std::vector<std::string>> tags(const std::string& repository) override {
    const auto wanted = TRY(reference_of(repository, "latest"));
    std::set<std::string> found;
    const auto names = TRY(engine_.images().names());
    for (const auto& name : names)
      if (name.reference.registry == wanted.registry && name.reference.path == wanted.path) found.insert(name.reference.tag);
    if (found.empty()) return failf(Errc::not_found, "there is no image called {}", wanted.familiar_name());
    return std::vector<std::string>(found.begin(), found.end());
  }

  Result<std::vector<std::string>> repositories() override {
    std::set<std::string> found;
    const auto names = TRY(engine_.images().names());
    for (const auto& name : names)
      if (std::string shown = name.reference.familiar_name(); registry::is_repository_name(shown)) found.insert(std::move(shown));
    return std::vector<std::string>(found.begin(), found.end());
  }

  Result<std::vector<StoredDocument>> referrers(const std::string&, const oci::Digest&) override { return std::vector<StoredDocument>(); }

  Result<Blob> blob(const std::string&, const oci::Digest& digest) override {
    Blob out;
    out.size = TRY(engine_.blobs().size(digest));
    out.file = TRY(engine_.blobs().open(digest));
    return out;
  }
  Result<> remove_blob(const std::string&, const oci::Digest&) override { return fail(Errc::unsupported, "blobs of a store are removed with 'mica system prune'"); }
  Result<> mount_blob(const std::string&, const oci::Digest& digest, const std::string&) override {
    if (!engine_.blobs().has(digest)) return failf(Errc::not_found, "there is no blob {}", digest.str());
    return {};
  }
  Result<std::unique_ptr<registry::StoredUpload>> begin_upload(const std::string& repository) override {
    TRY(reference_of(repository, "latest"));
    auto ingest = TRY(engine_.blobs().begin());
    return std::make_unique<StoreUpload>(std::move(ingest));
  }

 private:
  enum class Entering { must, if_for_us };

  static bool is_image_index(std::string_view type) { return type == oci::kOciIndex || type == oci::kDockerIndex; }

  static Result<oci::Reference> reference_of(const std::string& repository, const std::string& tag) {
    auto reference = oci::Reference::parse(repository + ":" + tag);
    if (!reference) return failf(Errc::not_found, "no image can be called {}: {}", quoted(repository), reference.error().text());
    return reference;
  }

  Result<> check_there(std::string_view what, const DocumentLinks::Target& target) {
    const auto size = engine_.blobs().size(target.digest);
    if (!size) return failf(Errc::invalid_argument, "the {} {} is not here", what, target.digest.str());
    if (*size != target.size) return failf(Errc::invalid_argument, "the {} {} has {} bytes, not {}", what, target.digest.str(), *size, target.size);
    return {};
  }

  /// Documents that came by digest: an index that will name them follows.
  void pass(const std::string& repository, const oci::Digest& digest) { passing_.lock()->insert(repository + "@" + digest.str()); }
  bool has_passed(const std::string& repository, const oci::Digest& digest) { return passing_.lock()->contains(repository + "@" + digest.str()); }

  std::optional<StoredDocument> kept_document(const oci::Digest& digest) {
    auto bytes = engine_.blobs().read(digest, kMaxDocument);
    if (!bytes) return std::nullopt;
    const auto links = registry::read_links("", *bytes);
    if (!links) return std::nullopt;
    return StoredDocument{.media_type = links->media_type, .digest = digest, .bytes = std::move(*bytes)};
  }

  /// Whether an index of the repository has the digest: another platform's image, which has no row of its own.
  Result<bool> is_of_index(const oci::Reference& reference) {
    std::vector<oci::Digest> indexes = TRY(indexes_.of_repository(reference));
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      const auto bytes = engine_.blobs().read(indexes[i], kMaxDocument);
      const auto links = bytes ? registry::read_links("", *bytes) : fail(Errc::not_found, "");
      if (!links) continue;
      for (const auto& inner : links->documents) {
        if (inner.digest == reference.digest) return true;
        if (std::ranges::find(indexes, inner.digest) == indexes.end()) indexes.push_back(inner.digest);
      }
    }
    return false;
  }

  /// The manifest an image came with, if its blobs are all here; else one that is made now.
  Result<StoredDocument> manifest_of(const oci::ImageId& id, oci::Reference known) {
    const std::lock_guard lock(making_);
    auto row = TRY(engine_.images().find(id));
    if (!row) return fail(Errc::not_found, "the image was removed meanwhile");
    if (auto original = original_manifest(*row)) return *original;
    if (!engine_.has_workspace()) return fail(Errc::permission_denied, "the image has no manifest yet, and this store cannot be written to");
    const Leases::Hold leases(leases_);
    if (!row->layers.empty()) TRY(engine_.workspace().lease(engine_.database(), row->layers));
    oci::Manifest manifest{.media_type = std::string(oci::kOciManifest)};
    const auto config_size = TRY(engine_.blobs().size(id.digest));
    manifest.config = {.media_type = std::string(oci::kOciConfig), .digest = id.digest, .size = config_size};
    for (const auto& layer : row->layers) {
      const auto blob = TRY(layer_blob(layer));
      manifest.layers.push_back({.media_type = blob.media_type, .digest = blob.digest, .size = blob.size});
    }
    StoredDocument made{.media_type = manifest.media_type, .bytes = manifest.write()};
    made.digest = TRY(engine_.blobs().put(made.bytes));
    row->manifest = made.digest;
    known.tag.clear();
    known.digest = made.digest;
    TRY(engine_.images().put(*row, {known}));
    return made;
  }

  std::optional<StoredDocument> original_manifest(const store::ImageRow& row) {
    if (row.manifest.empty()) return std::nullopt;
    auto bytes = engine_.blobs().read(row.manifest, kMaxDocument);
    if (!bytes) return std::nullopt;
    const auto links = registry::read_links("", *bytes);
    if (!links) return std::nullopt;
    for (const auto& blob : links->blobs)
      if (!engine_.blobs().has(blob.digest)) return std::nullopt;
    return StoredDocument{.media_type = links->media_type, .digest = row.manifest, .bytes = std::move(*bytes)};
  }

  Result<store::LayerBlob> layer_blob(const snapshot::LayerId& layer) {
    const auto diff_id = TRY(engine_.layers().diff_id(layer, cancel_));
    if (const auto blob = TRY(remembered_blob(engine_, diff_id, {})); blob && engine_.blobs().has(blob->digest)) return *blob;
    task::Group group(engine_.pool(), cancel_);
    const auto compressed = TRY(CompressedLayer::start(engine_, layer, {}, group));
    TRY_DOING(group.wait(), format("compressing layer {}", diff_id.digest.short_hex()));
    return compressed->keep(diff_id);
  }

  Result<> enter_index(const StoredDocument& document, std::vector<oci::Reference> names) {
    const auto index = TRY(oci::Index::parse(document.bytes));
    const oci::Platform host = oci::Platform::host();
    // An image for another machine is one, too: it can be looked at and passed on.
    const oci::Descriptor* chosen = nullptr;
    for (const auto& entry : index.manifests) {
      if (!entry.platform || entry.platform->os == "unknown") continue;
      if (!chosen) chosen = &entry;
      if (!oci::matches(host, *entry.platform)) continue;
      chosen = &entry;
      break;
    }
    if (!chosen) return fail(Errc::unsupported, "the index has no image, and those are what a store keeps");
    const std::string bytes = TRY(engine_.blobs().read(chosen->digest, kMaxDocument));
    oci::Reference known = names.front();
    known.digest = chosen->digest;
    names.push_back(std::move(known));
    return enter_manifest(bytes, names, Entering::must);
  }

  Result<> enter_manifest(const std::string& bytes, const std::vector<oci::Reference>& names, Entering entering) {
    const auto manifest = TRY(oci::Manifest::parse(bytes));
    const auto& type = manifest.config.media_type;
    const bool image = (type == oci::kOciConfig || type == oci::kDockerConfig) &&
                       std::all_of(manifest.layers.begin(), manifest.layers.end(), [](const oci::Descriptor& d) { return d.media_type.find("tar") != std::string::npos; });
    if (!image) {
      if (entering == Entering::if_for_us) return {};
      return fail(Errc::unsupported, "a store keeps images only; this is another artifact");
    }
    const std::string config_bytes = TRY(engine_.blobs().read(manifest.config.digest, kMaxConfig));
    const auto config = TRY_DOING(oci::ImageConfig::parse(config_bytes), "reading the image config");
    if (entering == Entering::if_for_us && !oci::matches(oci::Platform::host(), config.platform)) return {};
    if (config.diff_ids.size() != manifest.layers.size())
      return failf(Errc::corrupt, "the manifest lists {} layers, the image config {}", manifest.layers.size(), config.diff_ids.size());
    snapshot::Chain chain;
    for (std::size_t i = 0; i < config.diff_ids.size(); ++i)
      TRY_DOING(enter_layer(manifest.layers[i], config.diff_ids[i], chain), format("unpacking layer {} of {}", i + 1, config.diff_ids.size()));
    TRY(add_image(engine_, chain, config, config_bytes, names, oci::Digest::of(bytes)));
    return {};
  }

  Result<> enter_layer(const oci::Descriptor& layer, const oci::DiffId& diff_id, snapshot::Chain& chain) {
    TRY(cancel_.check());
    const auto known = TRY(engine_.layers().find(diff_id, chain));
    if (known && engine_.workspace().lease(engine_.database(), {known->id})) {
      chain.push_back(known->id);
    } else {
      auto file = TRY(engine_.blobs().open(layer.digest));
      stream::FdSource source(std::move(file));
      TRY(add_layer(engine_, chain, source, diff_id, cancel_));
    }
    auto file = TRY(engine_.blobs().open(layer.digest));
    stream::FdSource source(std::move(file));
    stream::PeekSource peeked(source);
    const auto kind = stream::detect(TRY(peeked.peek(6)));
    return store::LayerBlobs(engine_.database())
        .put({.diff_id = diff_id, .digest = layer.digest, .media_type = std::string(layer_media_type(kind)), .size = layer.size, .original = true});
  }

  Engine& engine_;
  task::Cancel cancel_;
  Leases leases_;
  store::KeptIndexes indexes_{engine_.database()};
  std::mutex making_;
  Guarded<std::set<std::string>> passing_;
};

}  // namespace

std::unique_ptr<registry::Storage> store_registry(Engine& engine, task::Cancel cancel) { return std::make_unique<StoreRegistry>(engine, std::move(cancel)); }

}  // namespace mica::engine
