/// `save`: images as one tar that is both a Docker archive (manifest.json) and an OCI layout (index.json), as Docker 28 writes it.
/// Layers are stored uncompressed under their DiffID. Times in the archive are zero: equal images give equal bytes.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "oci/image.h"
#include "stream/stream.h"

namespace mica::engine {

/// An image to be written, whether or not it is in the store.
struct ArchivedImage {
  oci::ImageId id;
  std::string config;                  ///< its bytes
  snapshot::Chain layers;
  std::vector<oci::Reference> names;
  oci::Annotations annotations;        ///< of the manifest
};
/// Writes the archive and finishes `to`. Errors: cancelled, corrupt (a layer is not what it was), and those of `to`.
Result<> write_image_archive(Engine& engine, const std::vector<ArchivedImage>& images, stream::Sink& to, task::Cancel cancel);
/// Runs `write` with a sink into a file that appears at `path` only when all went well; devices and pipes are written to directly;
/// "-" is standard output.
Result<> write_output_file(const std::string& path, const std::function<Result<>(stream::Sink&)>& write);

struct SaveImages {
  std::vector<std::string> names;      ///< NAME[:TAG] or id; a name without tag means all its tags
};
/// Errors: not_found, cancelled, and those of `to`.
Result<> save_images(Engine& engine, const SaveImages& request, stream::Sink& to, task::Cancel cancel);
/// The same into a file that appears only when it is whole; "-": standard output.
Result<> save_images_to_file(Engine& engine, const SaveImages& request, const std::string& path, task::Cancel cancel);

}  // namespace mica::engine
