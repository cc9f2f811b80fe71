/// Images and their names. An image is its config blob plus the chain of layers that its DiffIDs stand for.
///
/// A name is repository:tag and points to one image; an image may have any number of them. Beside that the table remembers under
/// which repositories a manifest digest is known, so that name@digest finds an image also after its tag has moved on, or when it
/// never had one. Such a digest goes with the last tag of its repository that is removed from the image, or with the image.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "db/db.h"
#include "oci/digest.h"
#include "oci/image.h"
#include "oci/reference.h"

namespace mica::store {

struct ImageRow {
  oci::ImageId id;
  std::vector<std::string> layers;          ///< snapshot layer ids, bottom first
  oci::Digest manifest;                     ///< of the manifest it came with or was exported as; may be empty
  std::int64_t bytes = 0;                   ///< sum of the layers' file sizes
  Timestamp created;                        ///< of the config
  Timestamp added;                          ///< when it entered this store
  oci::Platform platform;
  std::vector<std::pair<std::string, std::string>> labels;
};
struct NameRow {
  oci::Reference reference;                 ///< with tag, without digest
  oci::ImageId id;
  Timestamp tagged;
};

class ImageTable {
 public:
  explicit ImageTable(Guarded<db::Database>& database);
  /// Adds or refreshes the image and points the names at it, in one transaction. A name without tag needs a digest: it is only
  /// remembered as known. An image that was here keeps its `added`, and its manifest when the new one is empty.
  /// Returns the ids that lost their last name.
  Result<std::vector<oci::ImageId>> put(const ImageRow& image, const std::vector<oci::Reference>& names);
  Result<> tag(const oci::ImageId& id, const oci::Reference& name);   ///< errors: not_found (no such image)
  Result<std::optional<ImageRow>> find(const oci::ImageId& id);
  /// By tag, or by digest when there is one (the tag beside it does not count then, as with Docker): of several images the one that came last.
  Result<std::optional<NameRow>> find_name(const oci::Reference& name);
  /// All images that a digest is known to mean in its repository, the one that came last first: an index has one a platform.
  Result<std::vector<ImageRow>> with_digest(const oci::Reference& name);
  /// What a user typed: full id, name[:tag], name@digest, unambiguous id prefix (with or without sha256:), in this order.
  /// Errors: not_found ("No such image: X", with a hint to the nearest name), conflict (ambiguous prefix), invalid_argument.
  Result<ImageRow> resolve(std::string_view text);
  Result<std::vector<ImageRow>> list();                       ///< newest first by created
  Result<std::vector<NameRow>> names();
  Result<std::vector<oci::Reference>> names_of(const oci::ImageId& id);
  /// Repositories at `registry` that are known to hold the image (it was pulled from there, or pushed there): their paths, sorted.
  Result<std::vector<std::string>> repositories_with(const oci::ImageId& id, const std::string& registry);
  Result<bool> remove_name(const oci::Reference& name);       ///< false: there was none. With a digest, it is that which goes
  Result<> remove(const oci::ImageId& id);                    ///< with all its names; missing is no error

 private:
  Guarded<db::Database>& database_;
};
extern const std::string_view kSchemaSql;
extern const std::string_view kPlatformsSchemaSql;   ///< comes after it: one digest, several images
}  // namespace mica::store
