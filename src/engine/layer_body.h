/// A layer's bytes for the wire: the remembered blob, or made now while they are being sent.
#pragma once
#include <memory>

#include "engine/engine.h"
#include "engine/push_layers.h"
#include "registry/growing_blob.h"
#include "store/layer_blobs.h"

namespace mica::engine {

/// A blob of the store.
class StoredBody : public registry::Replayable {
 public:
  StoredBody(Engine& engine, oci::Digest digest, std::int64_t size) : engine_(engine), digest_(std::move(digest)), size_(size) {}
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override;
  std::int64_t size() const override { return size_; }
  Result<oci::Digest> digest() override { return digest_; }

 private:
  Engine& engine_;
  oci::Digest digest_;
  std::int64_t size_;
};

class MemoryBody : public registry::Replayable {
 public:
  explicit MemoryBody(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override;
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  Result<oci::Digest> digest() override { return oci::Digest::of(bytes_); }

 private:
  std::string bytes_;
};

/// The blob that a layer was, or will be, sent as; nullopt: it must be made. A remembered blob need not be in the store.
Result<std::optional<store::LayerBlob>> remembered_blob(Engine& engine, const oci::DiffId& diff_id, const LayerForm& form);

/// A layer being compressed by a task of `group` into a file of the workspace.
class CompressedLayer {
 public:
  ~CompressedLayer();                    ///< after the end of the task; removes the file unless it was kept
  static Result<std::unique_ptr<CompressedLayer>> start(Engine& engine, const snapshot::LayerId& layer, const LayerForm& form, task::Group& group);
  registry::Replayable& body() { return *bytes_; }
  /// After the end of the task: puts the blob into the store and remembers it for `diff_id`.
  Result<store::LayerBlob> keep(const oci::DiffId& diff_id);

 private:
  CompressedLayer(Engine& engine, std::string path, std::string media_type) : engine_(engine), path_(std::move(path)), media_type_(std::move(media_type)) {}
  Engine& engine_;
  std::string path_, media_type_;
  std::shared_ptr<registry::GrowingBlob> bytes_;   ///< the task's too: a group lets go of a task after its owner may be gone
};

}  // namespace mica::engine
