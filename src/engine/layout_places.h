/// OCI image layouts as places of copying. Internal to image_places.cc and archive_places.cc.
#pragma once
#include "engine/archive_files.h"
#include "engine/image_places.h"
#include "json/json.h"
#include "sys/fd.h"

namespace mica::engine {

Result<std::unique_ptr<ImageSource>> layout_source(const ImagePlace& place);
/// The layout in `files`, which may be those of an archive spooled to `temporary`.
Result<std::unique_ptr<ImageSource>> layout_source(const ImagePlace& place, ArchiveFiles files, std::optional<sys::TempDir> temporary);
Result<std::unique_ptr<ImageTarget>> layout_target(const ImagePlace& place);

/// A layout folder that is written to, by several at once if need be.
class LayoutFolder {
 public:
  /// Makes it unless it is there. Errors: conflict (a folder with other things).
  static Result<LayoutFolder> open(const std::string& path);
  bool has(const oci::Digest& digest, std::int64_t size = -1) const;
  /// Bytes that have been verified; synced before they appear.
  Result<> put(const oci::Descriptor& blob, stream::Source& bytes, task::Cancel cancel, const std::function<void(std::int64_t)>& progress) const;
  Result<> put(const oci::Digest& digest, std::string_view bytes) const;
  /// Enters a document into index.json: under a name, which it takes from another, or (empty) without one.
  Result<> enter(const registry::Document& document, const std::string& name, task::Cancel cancel) const;
  Result<std::optional<oci::Digest>> find(const std::string& name) const;
  const std::string& path() const { return path_; }

 private:
  explicit LayoutFolder(std::string path) : path_(std::move(path)) {}
  std::string blob_path(const oci::Digest& digest) const { return path_ + "/blobs/sha256/" + digest.hex(); }
  std::string path_;
};

}  // namespace mica::engine
