/// What an image manifest or index says about other things: what it needs, what it is about.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "oci/digest.h"

namespace mica::registry {

struct DocumentLinks {
  struct Target {
    oci::Digest digest;
    std::string media_type;
    std::int64_t size = 0;
  };
  std::string media_type;                ///< of the document itself
  std::vector<Target> blobs;             ///< config and layers; without those that are kept elsewhere (foreign layers)
  std::vector<Target> documents;         ///< of an index
  oci::Digest subject;                   ///< empty: none
  std::string artifact_type;             ///< a manifest without one goes by its config's media type
  json::Value annotations;               ///< object or null
};

/// `declared` is the media type that came with the document; empty or generic: the document says it itself, or its members do.
/// Errors: corrupt (no JSON, wrong shapes, two kinds at once, types that disagree, not a digest), unsupported (schema 1, another type of document).
Result<DocumentLinks> read_links(std::string_view declared, std::string_view bytes);

}  // namespace mica::registry
