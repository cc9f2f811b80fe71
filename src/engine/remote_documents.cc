#include "engine/remote_documents.h"

#include "base/format.h"
#include "engine/checked_blob.h"
#include "engine/document_parts.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxConfigBytes = 8 << 20;
constexpr int kMaxDepth = 4;

oci::Reference by_digest(const registry::Repository& repository, const oci::Digest& digest) {
  return {.registry = repository.registry(), .path = repository.path(), .digest = digest};
}

Result<> copy_at_depth(CopySession& session, const registry::Repository& from, const registry::Repository& to, const oci::Digest& digest, int depth,
                       task::Cancel cancel) {
  if (depth > kMaxDepth) return fail(Errc::unsupported, "indexes nested too deep");
  // Whatever the question's trouble is, putting will tell.
  if (to.resolve(by_digest(to, digest), cancel)) return {};
  TRY(cancel.check());
  const auto document = TRY(from.document(by_digest(from, digest), cancel));
  const auto parts = TRY(parts_of(document));
  for (const auto& child : parts.documents) TRY(copy_at_depth(session, from, to, child.digest, depth + 1, cancel));
  std::vector<std::string> mounts;
  if (from.registry() == to.registry()) mounts.push_back(from.path());
  for (const auto& blob : parts.blobs) {
    const auto body = relayed_blob(from, blob, session.pool, cancel);
    TRY_DOING(to.upload(blob.digest, *body, mounts, cancel), format("copying {}", blob.digest.str()));
  }
  TRY(to.put_document(by_digest(to, digest), document.media_type, document.bytes, cancel));
  return {};
}

}  // namespace

Result<registry::Repository> open_repository(CopySession& session, const oci::Reference& name, registry::Access access, bool insecure) {
  if (!insecure) return session.registry.open(name, access);
  std::vector<registry::Endpoint> places;
  if (access == registry::Access::pull) {
    places = TRY(session.registry.hosts().for_pull(name));
  } else {
    auto place = TRY(session.registry.hosts().for_push(name));
    places.push_back(std::move(place));
  }
  for (auto& place : places) {
    place.plain_http = true;
    place.verify_tls = false;
  }
  return session.registry.open(name, access, std::move(places));
}

Result<RemoteDocument> read_remote_document(CopySession& session, const oci::Reference& name, bool insecure, task::Cancel cancel) {
  auto repository = TRY(open_repository(session, name, registry::Access::pull, insecure));
  auto document = TRY(repository.document(name, cancel));
  return RemoteDocument{.reference = name, .repository = std::move(repository), .document = std::move(document)};
}

Result<json::Value> read_remote_config(const registry::Repository& repository, const registry::Document& manifest, task::Cancel cancel) {
  const auto parsed = TRY(oci::Manifest::parse(manifest.bytes));
  if (parsed.config.media_type != oci::kOciConfig && parsed.config.media_type != oci::kDockerConfig) return json::Value();
  const auto text = TRY_DOING(repository.read_small(parsed.config, kMaxConfigBytes, cancel), "reading the image's config");
  return json::parse(text);
}

Result<> copy_below(CopySession& session, const registry::Repository& from, const registry::Repository& to, const oci::Digest& digest, task::Cancel cancel) {
  return copy_at_depth(session, from, to, digest, 0, cancel);
}

}  // namespace mica::engine
