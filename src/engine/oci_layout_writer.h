/// Writes an OCI image layout folder (OCI Image Spec v1.1, image-layout.md).
#pragma once
#include <string>

#include "engine/engine.h"
#include "oci/image.h"
#include "stream/compression.h"
#include "sys/lock.h"

namespace mica::engine {

/// Makes a folder for a layout, with its oci-layout file; one that is there is left as it is. Errors: conflict (a folder with other things).
Result<> make_layout_folder(const std::string& folder);
/// Whoever changes index.json holds this, from reading it to its replacement. The lock is on oci-layout, which never changes.
Result<sys::FileLock> lock_layout(const std::string& folder, int stop_fd = -1);

class OciLayoutWriter {
 public:
  /// Makes the folder; an existing layout is added to (blobs that are there are kept). Errors: conflict (a folder with other things).
  static Result<OciLayoutWriter> create(Engine& engine, const std::string& folder);
  /// A small blob. Returns its descriptor.
  Result<oci::Descriptor> put(std::string_view media_type, std::string_view bytes);
  /// A layer's canonical tar, compressed. Errors: cancelled, resource_exhausted.
  Result<oci::Descriptor> put_layer(const snapshot::LayerId& layer, stream::Compression compression, int level, task::Cancel cancel);
  /// Enters what `index` lists into index.json, atomically: entries of the same names are replaced, others stay.
  Result<> finish(const oci::Index& index);

 private:
  OciLayoutWriter(Engine& engine, std::string folder) : engine_(&engine), folder_(std::move(folder)) {}
  std::string blob_path(const oci::Digest& digest) const { return folder_ + "/blobs/sha256/" + digest.hex(); }
  Engine* engine_;
  std::string folder_;
};

/// The folder as a tar, names sorted, times zero.
Result<> write_folder_tar(const std::string& folder, stream::Sink& to, task::Cancel cancel);

}  // namespace mica::engine
