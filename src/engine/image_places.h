/// Where images are outside the store, and the seam between them: a source gives documents and blobs, a target takes them.
///
///   REF, docker://REF             a registry
///   oci:PATH[:NAME][@DIGEST]      a folder, an OCI image layout (OCI Image Spec v1.1, image-layout.md); NAME is the annotation
///                                 org.opencontainers.image.ref.name of its entry
///   oci-archive:PATH[:NAME]       such a folder as a tar
///   docker-archive:PATH[:REF]     what `docker save` writes, in its old form and in that of today
///
/// PATH has no colon; "-" is standard input or output, for archives.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/copy_session.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "registry/client.h"
#include "task/task.h"

namespace mica::engine {

struct ImagePlace {
  enum class Kind { registry, layout, oci_archive, docker_archive };
  Kind kind = Kind::registry;
  oci::Reference reference;              ///< registry
  std::string path;                      ///< the others
  std::string name;                      ///< the others: of the image in there; empty: none was given
  oci::Digest digest;                    ///< layout: of the image in there

  /// `default_tag`: "latest" for a reference to a registry without tag and digest. Errors: invalid_argument, unsupported (places of
  /// other programs).
  static Result<ImagePlace> parse(std::string_view text, bool default_tag = true);
  std::string str() const;
  bool operator==(const ImagePlace&) const = default;
};

/// One image, and what lies beside it. Thread-safe.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The digest of what the place names, without reading it where that is possible. Errors: not_found, those of the registry.
  virtual Result<oci::Digest> resolve(task::Cancel cancel) = 0;
  /// The document that the place names. After resolve() it is the one of that digest.
  virtual Result<registry::Document> top(task::Cancel cancel) = 0;
  /// Any document, verified. Errors: corrupt, not_found.
  virtual Result<registry::Document> document(const oci::Descriptor& what, task::Cancel cancel) = 0;
  /// A blob, verified on the way (checked_blob.h). Valid while the source lives.
  virtual Result<std::unique_ptr<registry::Replayable>> blob(const oci::Descriptor& blob, task::Cancel cancel) = 0;
  /// What blob() gave was corrupt; true: reading it once more may help.
  virtual bool distrust(const oci::Digest&) { return false; }
  /// Documents with `subject`.
  virtual Result<std::vector<oci::Descriptor>> referrers(const oci::Digest& subject, task::Cancel cancel) = 0;
  /// Names beside the image's own.
  virtual Result<std::vector<std::string>> tags(task::Cancel cancel) = 0;
  /// The document of such a name.
  virtual Result<registry::Document> tagged(const std::string& tag, task::Cancel cancel) = 0;
  /// In which registry and repository it is; nullptr: in none.
  virtual const oci::Reference* repository() const { return nullptr; }
};

/// Takes one image. Thread-safe but for finish().
class ImageTarget {
 public:
  virtual ~ImageTarget() = default;     ///< without finish(): nothing of an archive is seen
  /// For KnownBlobs.
  virtual std::string store() const = 0;
  virtual std::string repository() const { return {}; }
  /// What the place's name (or a tag beside it) stands for now; nothing: it is not there.
  virtual Result<std::optional<oci::Digest>> current(const std::string& tag, task::Cancel cancel) = 0;
  /// The document is there, and with it what it refers to.
  virtual Result<bool> has_document(const oci::Digest& digest, task::Cancel cancel) = 0;
  /// Makes a blob of another repository of the same store visible here. False: that cannot be done.
  virtual Result<bool> mount(const oci::Digest&, const std::string& /*from*/, task::Cancel) { return false; }
  /// Takes a blob unless it is there.
  virtual Result<registry::Uploaded> put_blob(const oci::Descriptor& blob, registry::Replayable& body, task::Cancel cancel,
                                              const std::function<void(std::int64_t)>& progress) = 0;
  enum class Role {
    named,       ///< what the place's name stands for from now on
    part,        ///< of a document that comes later
    beside,      ///< a referrer, or (with a tag) what belongs to the image by its name only
  };
  /// Takes a document, byte for byte. What it refers to has been put.
  virtual Result<> put_document(const registry::Document& document, Role role, const std::string& tag, task::Cancel cancel) = 0;
  /// For archives: writes the file, which replaces one that is there.
  virtual Result<> finish(task::Cancel) { return {}; }
  /// Holds no index: one platform's image only.
  virtual bool takes_one_platform() const { return false; }
};

/// Errors: invalid_argument; not_found; corrupt (an archive that is none); those of registry::Hosts. The session must outlive them.
Result<std::unique_ptr<ImageSource>> open_source(CopySession& session, const ImagePlace& place, task::Cancel cancel);
Result<std::unique_ptr<ImageTarget>> open_target(CopySession& session, const ImagePlace& place);

/// The names of the images in a layout.
Result<std::vector<std::string>> layout_names(const ImagePlace& place);

/// Where archives are unpacked and put together: $TMPDIR, else /var/tmp.
std::string temporary_folder();

}  // namespace mica::engine
