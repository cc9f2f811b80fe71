// Lists: spec, "Listing Tags", "Listing Referrers"; and the catalog of repositories.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "oci/image.h"
#include "registry/server_parts.h"

namespace mica::registry {
namespace {

using http::Reply;

Reply json_reply(const json::Value& document, std::string_view type = "application/json") {
  Reply out = reply(200);
  out.headers.emplace_back("Content-Type", type);
  out.body = json::write(document);
  return out;
}

/// The page that `n` and `last` ask for, with a Link to the next if there is one.
Reply page(const Call& call, std::string_view path, json::Value document, std::string_view member, const std::vector<std::string>& all) {
  auto first = all.begin();
  if (const auto last = call.request.parameter("last")) first = std::upper_bound(all.begin(), all.end(), *last);
  auto end = all.end();
  const auto text = call.request.parameter("n");
  if (text) {
    const auto count = parse_int(*text);
    if (!count || *count < 0) return refusal(400, "PAGINATION_NUMBER_INVALID", format("{} is no number of entries", quoted(*text)));
    if (*count < end - first) end = first + *count;
  }
  document.set(member, json::from(std::vector<std::string>(first, end)));
  Reply out = json_reply(document);
  if (end != all.end() && first != end)
    out.headers.emplace_back("Link", format("<{}?last={}&n={}>; rel=\"next\"", path, http::encode_query(*(end - 1)), *text));
  return out;
}

}  // namespace

Reply list_tags(const Call& call) {
  const auto tags = call.server.storage.tags(call.route.repository);
  if (!tags) return refusal(tags.error(), "NAME_UNKNOWN");
  json::Value document = json::Value::object();
  document.set("name", call.route.repository);
  return page(call, format("/v2/{}/tags/list", call.route.repository), std::move(document), "tags", *tags);
}

Reply list_repositories(const Call& call) {
  const auto names = call.server.storage.repositories();
  if (!names) return refusal(names.error(), "NAME_UNKNOWN");
  return page(call, "/v2/_catalog", json::Value::object(), "repositories", *names);
}

Reply list_referrers(const Call& call) {
  const auto subject = oci::Digest::parse(call.route.reference);
  if (!subject) return bad_digest(subject.error());
  const auto documents = call.server.storage.referrers(call.route.repository, *subject);
  if (!documents && documents.error().code() != Errc::not_found) return refusal(documents.error(), "NAME_UNKNOWN");
  const auto wanted = call.request.parameter("artifactType");
  json::Value list = json::Value::array();
  for (const auto& document : documents ? *documents : std::vector<StoredDocument>{}) {
    const auto links = read_links(document.media_type, document.bytes);
    if (!links || (wanted && !wanted->empty() && links->artifact_type != *wanted)) continue;
    json::Value entry = json::Value::object();
    entry.set("mediaType", document.media_type);
    entry.set("digest", document.digest.str());
    entry.set("size", static_cast<std::int64_t>(document.bytes.size()));
    if (!links->artifact_type.empty()) entry.set("artifactType", links->artifact_type);
    if (!links->annotations.is_null()) entry.set("annotations", links->annotations);
    list.push(std::move(entry));
  }
  json::Value index = json::Value::object();
  index.set("schemaVersion", 2);
  index.set("mediaType", oci::kOciIndex);
  index.set("manifests", std::move(list));
  Reply out = json_reply(index, oci::kOciIndex);
  if (wanted && !wanted->empty()) out.headers.emplace_back("OCI-Filters-Applied", "artifactType");
  return out;
}

}  // namespace mica::registry
