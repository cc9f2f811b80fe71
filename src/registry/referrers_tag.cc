#include "registry/referrers_tag.h"

#include <algorithm>

#include "base/format.h"
#include "oci/image.h"

namespace mica::registry {
namespace {

constexpr int kTries = 4;

/// The list's entry for the document: what the referrers API would show of it.
json::Value entry_for(const json::Value& document, std::string_view media_type, std::string_view bytes, const oci::Digest& digest) {
  json::Value out;
  out.set("mediaType", media_type);
  out.set("digest", digest.str());
  out.set("size", static_cast<std::int64_t>(bytes.size()));
  std::string artifact_type = document.string_or("artifactType");
  if (const json::Value* config = document.find("config"); artifact_type.empty() && config) artifact_type = config->string_or("mediaType");
  if (!artifact_type.empty()) out.set("artifactType", artifact_type);
  if (const json::Value* annotations = document.find("annotations"); annotations && annotations->is_object()) out.set("annotations", *annotations);
  return out;
}

json::Value empty_index() {
  json::Value out;
  out.set("schemaVersion", 2);
  out.set("mediaType", oci::kOciIndex);
  out.set("manifests", json::Value::array());
  return out;
}

bool lists(const json::Value& index, const oci::Digest& digest) {
  const json::Value* manifests = index.find("manifests");
  return manifests && manifests->is_array() && std::ranges::any_of(manifests->as_array(), [&](const json::Value& item) { return item.string_or("digest") == digest.str(); });
}

Result<json::Value> read_index(const Repository& repository, const oci::Reference& tag, const task::Cancel& cancel) {
  auto document = repository.document(tag, cancel);
  if (!document && document.error().code() == Errc::not_found) return empty_index();
  if (!document) return fail(std::move(document.error()));
  auto value = TRY(json::parse(document->bytes));
  if (!value.find("manifests") || !value.find("manifests")->is_array())
    return failf(Errc::conflict, "the tag {} is no list of referrers", tag.tag);
  return value;
}

}  // namespace

std::string referrers_tag(const oci::Digest& subject) { return "sha256-" + subject.hex(); }

Result<> keep_referrers_tag(const Repository& repository, std::string_view media_type, std::string_view bytes, const oci::Digest& digest, task::Cancel cancel) {
  if (bytes.find("\"subject\"") == bytes.npos) return {};
  const auto document = json::parse(bytes);
  const json::Value* subject = document ? document->find("subject") : nullptr;
  if (!subject || !subject->is_object()) return {};
  const auto named = oci::Digest::parse(subject->string_or("digest"));
  if (!named) return {};
  oci::Reference tag{.registry = repository.registry(), .path = repository.path(), .tag = referrers_tag(*named)};
  const std::string doing = format("listing the document among what refers to {}", named->str());
  for (int i = 0; i < kTries; ++i) {
    auto index = TRY_DOING(read_index(repository, tag, cancel), doing);
    if (lists(index, digest)) return {};
    index.find("manifests")->push(entry_for(*document, media_type, bytes, digest));
    TRY_DOING(repository.put_document(tag, oci::kOciIndex, json::write_for_html(index), cancel), doing);
  }
  return fail(Error(Errc::conflict, "others change the same list all the time").doing(doing));
}

std::vector<Referrer> referrers_of(const json::Value& index, const std::string& artifact_type) {
  std::vector<Referrer> out;
  const json::Value* manifests = index.find("manifests");
  if (!manifests || !manifests->is_array()) return out;
  for (const json::Value& item : manifests->as_array()) {
    const auto digest = oci::Digest::parse(item.string_or("digest"));
    const std::int64_t size = item.int_or("size", -1);
    if (!digest || size < 0) continue;
    Referrer one{.descriptor = {.media_type = item.string_or("mediaType"), .digest = *digest, .size = size}, .artifact_type = item.string_or("artifactType")};
    if (!artifact_type.empty() && one.artifact_type != artifact_type) continue;
    if (const json::Value* annotations = item.find("annotations"); annotations && annotations->is_object())
      for (const auto& [name, value] : annotations->as_object())
        if (value.is_string()) one.descriptor.annotations.emplace_back(name, value.as_string());
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace mica::registry
