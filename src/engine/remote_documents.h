/// Documents at registries without the store: what index tools and locks read, and how a document with all below it gets into another repository.
#pragma once
#include <functional>
#include <string>

#include "engine/copy_session.h"
#include "json/json.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace mica::engine {

/// `insecure`: certificates are not verified, and plain HTTP is spoken to who has no TLS. Errors: those of registry::Hosts.
Result<registry::Repository> open_repository(CopySession& session, const oci::Reference& name, registry::Access access, bool insecure);

/// A document and the repository that gave it.
struct RemoteDocument {
  oci::Reference reference;              ///< as asked for
  registry::Repository repository;
  registry::Document document;
};
/// Errors: those of registry::Repository.
Result<RemoteDocument> read_remote_document(CopySession& session, const oci::Reference& name, bool insecure, task::Cancel cancel);

/// The config of an image manifest; null when it is of an artifact. Errors: those of reading; corrupt.
Result<json::Value> read_remote_config(const registry::Repository& repository, const registry::Document& manifest, task::Cancel cancel);

/// Puts the document `digest` of `from` and all below it under their digests into `to`; blobs are mounted where the registry is the same. What
/// is there is left alone. Errors: those of both repositories; corrupt.
Result<> copy_below(CopySession& session, const registry::Repository& from, const registry::Repository& to, const oci::Digest& digest, task::Cancel cancel);

}  // namespace mica::engine
