/// `save`: images as one tar that is both a Docker archive (manifest.json) and an OCI layout (index.json), as Docker 28 writes it.
/// Layers are stored uncompressed under their DiffID. Times in the archive are zero: equal images give equal bytes.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"
#include "stream/stream.h"

namespace mica::engine {

struct SaveImages {
  std::vector<std::string> names;      ///< NAME[:TAG] or id; a name without tag means all its tags
};
/// Errors: not_found, cancelled, and those of `to`.
Result<> save_images(Engine& engine, const SaveImages& request, stream::Sink& to, task::Cancel cancel);
/// The same into a file that appears only when it is whole.
Result<> save_images_to_file(Engine& engine, const SaveImages& request, const std::string& path, task::Cancel cancel);
/// To standard output.
Result<> save_images_to_stdout(Engine& engine, const SaveImages& request, task::Cancel cancel);

}  // namespace mica::engine
