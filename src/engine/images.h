/// `images`, `tag` and `history`: what is in the store.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/filters.h"
#include "oci/image.h"

namespace mica::engine {

struct ListedImage {
  store::ImageRow image;
  std::vector<oci::Reference> names;          ///< sorted; empty: a dangling image
};
struct ListImages {
  std::string reference;                      ///< REPOSITORY[:TAG] argument, a glob; empty: all
  std::vector<std::string> filters;           ///< dangling label label! before since reference until
};
/// Newest first. With a reference filter only the names that match remain. Errors: invalid_argument.
Result<std::vector<ListedImage>> list_images(Engine& engine, const ListImages& request);

/// Points `target` at the image that `source` names. Errors: not_found, invalid_argument.
Result<> tag_image(Engine& engine, const std::string& source, const std::string& target);

/// The parsed config of an image.
Result<oci::ImageConfig> read_config(Engine& engine, const oci::ImageId& id);

struct HistoryLine {
  std::string id;                             ///< the image's for the newest line, "<missing>" below
  std::optional<Timestamp> created;
  std::string created_by, comment;
  std::int64_t bytes = 0;
  std::vector<std::string> tags;
};
/// Newest first. Errors: not_found, corrupt.
Result<std::vector<HistoryLine>> image_history(Engine& engine, const std::string& name);

}  // namespace mica::engine
