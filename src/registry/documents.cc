// Manifests and indexes: read, checked against what they claim to be, and written as they are.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "json/json.h"
#include "registry/limits.h"
#include "registry/referrers_tag.h"
#include "registry/repository.h"

namespace mica::registry {
namespace {

constexpr std::string_view kSignedSchema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
constexpr std::string_view kSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

http::Headers accepted() {
  return {{"Accept", format("{}, {}, {}, {}", oci::kOciIndex, oci::kOciManifest, oci::kDockerIndex, oci::kDockerManifest)}};
}

std::string path_of(const oci::Reference& what) { return "/manifests/" + (what.digest.empty() ? what.tag : what.digest.str()); }

bool is_generic(std::string_view media_type) {
  return media_type.empty() || media_type == "application/json" || media_type == "application/octet-stream" || media_type == "text/plain" ||
         media_type == "binary/octet-stream";
}

Error schema_1() {
  return Error(Errc::unsupported, "image manifest schema 1 is no longer supported").with_hint("build the image again with a current tool and push that, or have its registry convert it");
}

/// The type that header and body agree on (OCI distribution spec, "Pulling manifests"): a document that can be read as two kinds must not
/// be taken for one here and for the other elsewhere (CVE-2021-41190).
Result<std::string> agreed_type(const Reply& reply) {
  const std::string header = media_type_of(reply.response.header("content-type"));
  if (header == kSchema1 || header == kSignedSchema1) return fail(schema_1());
  const auto value = json::parse(reply.body);
  if (!value || !value->is_object()) {
    Error error(Errc::corrupt, format("{} answered with {} that is no manifest", reply.response.final_url.substr(0, reply.response.final_url.find('?')),
                                      header.empty() ? "something" : printable(header, 100)));
    return fail(std::move(error).with_hint("this does not look like a registry: a proxy or a login page may have answered"));
  }
  if (value->int_or("schemaVersion") == 1 || value->find("fsLayers")) return fail(schema_1());
  if (value->find("layers") && value->find("manifests")) return fail(Errc::corrupt, "the document is ambiguous: it has both layers and manifests");
  const std::string inside = value->string_or("mediaType");
  if (!is_generic(header) && !inside.empty() && inside != header)
    return failf(Errc::corrupt, "the document says of itself that it is {}, the registry that it is {}", printable(inside, 200), printable(header, 200));
  if (!inside.empty()) return inside;
  if (!is_generic(header)) return header;
  // OCI's documents need not say their type.
  if (value->find("manifests")) return std::string(oci::kOciIndex);
  if (value->find("layers") || value->find("config")) return std::string(oci::kOciManifest);
  return fail(Errc::corrupt, "the document does not say what it is, and neither does the registry");
}

Result<Document> read_document(Place& place, const Call& call, const oci::Reference& what, const task::Cancel& cancel) {
  Reply reply = TRY(place.ask(call, cancel));
  Document out{.digest = oci::Digest::of(reply.body), .from = place.shown_path()};
  if (!what.digest.empty() && out.digest != what.digest)
    return fail(Error(Errc::corrupt, format("{} sent other bytes\n  expected: {}\n  received: {} ({} bytes)", place.name(), what.digest.str(), out.digest.str(), reply.body.size()))
                    .doing(call.doing));
  const std::string claimed = reply.response.header("docker-content-digest");
  if (const auto digest = oci::Digest::parse(claimed); digest && *digest != out.digest)
    return fail(Error(Errc::corrupt, format("{} sent other bytes than it says\n  announced: {}\n  received:  {}", place.name(), digest->str(), out.digest.str())).doing(call.doing));
  out.media_type = TRY_DOING(agreed_type(reply), call.doing);
  out.bytes = std::move(reply.body);
  return out;
}

}  // namespace

std::string media_type_of(std::string_view content_type) { return to_lower(trim(content_type.substr(0, content_type.find(';')))); }

Result<oci::Descriptor> Repository::resolve(const oci::Reference& what, task::Cancel cancel) const {
  const Call head{.method = "HEAD", .path = path_of(what), .headers = accepted(), .expected = {200, 405, 501}, .doing = state_->doing("looking up", what)};
  const Call get{.path = path_of(what), .headers = accepted(), .limit = kMaxDocumentBytes, .doing = head.doing};
  return state_->anywhere<oci::Descriptor>(State::needs_of(what), [&](Place& place) -> Result<oci::Descriptor> {
    const Reply reply = TRY(place.ask(head, cancel));
    const std::string text = what.digest.empty() ? reply.response.header("docker-content-digest") : what.digest.str();
    const auto size = parse_int(reply.response.header("content-length"));
    if (const auto digest = oci::Digest::parse(text); reply.status == 200 && digest && size && *size >= 0) {
      const std::string type = media_type_of(reply.response.header("content-type"));
      if (type == kSchema1 || type == kSignedSchema1) return fail(schema_1().doing(head.doing));
      if (!is_generic(type)) return oci::Descriptor{.media_type = type, .digest = *digest, .size = *size};
    }
    const Document document = TRY(read_document(place, get, what, cancel));
    return oci::Descriptor{.media_type = document.media_type, .digest = document.digest, .size = static_cast<std::int64_t>(document.bytes.size())};
  });
}

Result<Document> Repository::document(const oci::Reference& what, task::Cancel cancel) const {
  const Call call{.path = path_of(what), .headers = accepted(), .limit = kMaxDocumentBytes, .doing = state_->doing("reading manifest of", what)};
  return state_->anywhere<Document>(State::needs_of(what), [&](Place& place) { return read_document(place, call, what, cancel); });
}

Result<oci::Digest> Repository::put_document(const oci::Reference& what, std::string_view media_type, std::string_view bytes, task::Cancel cancel) const {
  const oci::Digest digest = oci::Digest::of(bytes);
  const std::string doing = state_->doing("pushing manifest of", what);
  if (!what.digest.empty() && what.digest != digest)
    return fail(Error(Errc::invalid_argument, format("the document's digest is {}, not {}", digest.str(), what.digest.str())).doing(doing));
  const Call call{.method = "PUT",
                  .path = path_of(what),
                  .headers = {{"Content-Type", std::string(media_type)}},
                  .body = [&]() -> Result<std::unique_ptr<stream::Source>> { return std::make_unique<stream::MemorySource>(std::string(bytes)); },
                  .body_size = static_cast<std::int64_t>(bytes.size()),
                  .expected = {200, 201, 202, 204},
                  .doing = doing,
                  .answer_timeout_s = kAnswerTimeoutSeconds};
  const Reply reply = TRY(state_->last().ask(call, cancel));
  if (const auto stored = oci::Digest::parse(reply.response.header("docker-content-digest")); stored && *stored != digest)
    return fail(Error(Errc::corrupt, format("the registry stored other bytes\n  sent:   {}\n  stored: {}", digest.str(), stored->str())).doing(doing));
  if (reply.response.header("oci-subject").empty()) TRY(keep_referrers_tag(*this, media_type, bytes, digest, cancel));
  return digest;
}

Result<> Repository::remove(const oci::Reference& what, task::Cancel cancel) const {
  const Call call{.method = "DELETE", .path = path_of(what), .expected = {200, 202, 204}, .doing = state_->doing("removing", what), .more = Scopes("repository:" + state_->last().endpoint().path + ":delete")};
  TRY(state_->last().ask(call, cancel));
  return {};
}

}  // namespace mica::registry
