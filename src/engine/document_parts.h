/// What a manifest or index of any media type refers to: nothing is known of it but that descriptors stand where the OCI specifications (and
/// Docker's) have them.
#pragma once
#include <optional>
#include <vector>

#include "base/error.h"
#include "oci/image.h"
#include "registry/client.h"

namespace mica::engine {

struct DocumentParts {
  std::vector<oci::Descriptor> documents;    ///< manifests and indexes among `manifests`
  std::vector<oci::Descriptor> blobs;        ///< `config`, `layers`, `blobs`, and what is no document among `manifests`
  std::vector<oci::Descriptor> foreign;      ///< layers that must not be distributed: they stay where their URLs say
  std::optional<oci::Digest> subject;
};
/// Errors: corrupt (no JSON object, a descriptor that is none), unsupported (digests of another kind than sha256).
Result<DocumentParts> parts_of(const registry::Document& document);

bool is_index(std::string_view media_type);
/// A manifest or an index, of OCI or Docker.
bool is_document(std::string_view media_type);
/// The type of a document that came without one: what it says itself, else what its members tell. `told`: by who refers to it, may be empty.
/// Errors: corrupt (it says another thing than `told`).
Result<std::string> document_type(std::string_view bytes, const std::string& told);

/// The entry of an index that serves a platform best; attestations are passed over.
/// Errors: not_found ("no matching manifest for linux/arm64 ...": the hint lists what there is).
Result<oci::Descriptor> choose_entry(const oci::Index& index, const oci::Platform& platform);

}  // namespace mica::engine
