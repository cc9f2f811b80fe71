/// Image references as Docker normalises them.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "oci/digest.h"

namespace mica::oci {

/// registry/path:tag@digest, normalised: "alpine" is docker.io/library/alpine:latest.
struct Reference {
  std::string registry;    ///< "docker.io", "localhost:5000"
  std::string path;        ///< "library/alpine"
  std::string tag;         ///< empty only when a digest is given
  Digest digest;           ///< may be empty

  /// Grammar of distribution/reference: the first part is a host when it has '.' or ':' or is "localhost" (or has upper case);
  /// path lower case; tag at most 128; the whole at most 255. A bare 64-hex name is refused. `default_tag` false leaves the tag
  /// empty. Errors: invalid_argument with Docker's wording ("invalid reference format", "repository name must be lowercase").
  static Result<Reference> parse(std::string_view text, bool default_tag = true);
  /// Full form: "docker.io/library/alpine:3.20".
  std::string str() const;
  /// As Docker shows it: without docker.io/ and library/: "alpine:3.20".
  std::string familiar() const;
  std::string familiar_name() const;   ///< without tag and digest
  std::string repository() const;      ///< "docker.io/library/alpine"
  auto operator<=>(const Reference&) const = default;
};
}  // namespace mica::oci
