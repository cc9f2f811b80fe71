/// One tar that is both a Docker archive (manifest.json) and an OCI layout (index.json), as Docker 28 writes it: layers uncompressed under
/// their DiffIDs, times zero, so that equal images give equal bytes.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "archive/tar.h"
#include "json/json.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "stream/stream.h"

namespace mica::engine {

class DockerArchiveWriter {
 public:
  /// `to` must outlive it.
  explicit DockerArchiveWriter(stream::Sink& to) : to_(to), tar_(to) {}
  Result<> begin();
  /// A layer that has been written, or nullptr.
  const oci::Descriptor* find(const oci::DiffId& layer) const;
  /// A layer's tar, which has `size` bytes: `write` gives them.
  Result<> add_layer(const oci::DiffId& layer, std::uint64_t size, const std::function<Result<>(stream::Sink&)>& write);
  struct Image {
    std::string config;                ///< its bytes
    std::vector<oci::DiffId> layers;   ///< added before
    std::vector<oci::Reference> names;
    oci::Annotations annotations;      ///< of the manifest
  };
  Result<> add_image(const Image& image);
  /// What ties it together; finishes `to`.
  Result<> finish();

 private:
  Result<> folder(const std::string& path);
  Result<> file(const std::string& path, std::string_view bytes);
  Result<oci::Descriptor> blob(std::string_view media_type, std::string_view bytes);

  stream::Sink& to_;
  archive::TarWriter tar_;
  std::map<oci::Digest, oci::Descriptor> layers_;
  std::set<oci::Digest> written_;
  oci::Index index_{.media_type = std::string(oci::kOciIndex)};
  json::Value manifests_ = json::Value::array(), repositories_;
};

}  // namespace mica::engine
