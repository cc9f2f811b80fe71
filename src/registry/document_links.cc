#include "registry/document_links.h"

#include "base/format.h"
#include "base/text.h"
#include "oci/image.h"

namespace mica::registry {
namespace {

Result<DocumentLinks::Target> target(const json::Value& value, std::string_view what) {
  if (!value.is_object()) return failf(Errc::corrupt, "{} is no descriptor", what);
  DocumentLinks::Target out{.media_type = value.string_or("mediaType")};
  out.digest = TRY_DOING(oci::Digest::parse(value.string_or("digest")), format("reading {}", what));
  const auto* size = value.find("size");
  if (!size || !size->is_int() || size->as_int() < 0) return failf(Errc::corrupt, "{} has no valid size", what);
  out.size = size->as_int();
  return out;
}

Result<> targets(const json::Value& document, std::string_view member, std::vector<DocumentLinks::Target>& into) {
  const auto* list = document.find(member);
  if (!list) return {};
  if (!list->is_array()) return failf(Errc::corrupt, "{} is no list", member);
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    auto one = TRY(target(list->as_array()[i], format("{}[{}]", member, i)));
    // Layers that may not be handed on stay with their maker.
    if (one.media_type.find("nondistributable") != std::string::npos || one.media_type.find(".foreign.") != std::string::npos) continue;
    into.push_back(std::move(one));
  }
  return {};
}

bool is_manifest(std::string_view type) { return type == oci::kOciManifest || type == oci::kDockerManifest; }
bool is_index(std::string_view type) { return type == oci::kOciIndex || type == oci::kDockerIndex; }

/// What the document is, all told.
Result<std::string> media_type_of(std::string_view declared, const json::Value& document) {
  const std::string said = document.string_or("mediaType");
  std::string type(trim(declared.substr(0, declared.find(';'))));
  if (type == "application/json" || type == "application/octet-stream" || type == "text/plain" || type == "application/x-www-form-urlencoded") type.clear();
  if (!type.empty() && !said.empty() && type != said)
    return failf(Errc::corrupt, "the media types of request and document differ\n  request:  {}\n  document: {}", quoted(type), quoted(said));
  if (type.empty()) type = said;
  if (type.empty()) type = document.find("manifests") ? oci::kOciIndex : oci::kOciManifest;
  if (!is_manifest(type) && !is_index(type)) return failf(Errc::unsupported, "documents of type {} are not kept here", quoted(type));
  return type;
}

}  // namespace

Result<DocumentLinks> read_links(std::string_view declared, std::string_view bytes) {
  const auto document = TRY(json::parse(bytes));
  if (!document.is_object()) return fail(Errc::corrupt, "the document is no JSON object");
  if (document.int_or("schemaVersion") != 2) return fail(Errc::unsupported, "only documents with schemaVersion 2 are kept here; push the image again with a newer client");
  DocumentLinks links;
  links.media_type = TRY(media_type_of(declared, document));
  const bool index = is_index(links.media_type);
  if (document.find("manifests") && (document.find("layers") || document.find("config")))
    return fail(Errc::corrupt, "the document is manifest and index at once");
  if (!document.find(index ? "manifests" : "layers"))
    return failf(Errc::corrupt, "the document lacks {}, which {} has", index ? "manifests" : "layers", links.media_type);
  links.artifact_type = document.string_or("artifactType");
  if (index) {
    TRY(targets(document, "manifests", links.documents));
  } else {
    const auto* config = document.find("config");
    if (!config) return fail(Errc::corrupt, "the manifest has no config");
    auto config_target = TRY(target(*config, "config"));
    if (links.artifact_type.empty()) links.artifact_type = config_target.media_type;
    links.blobs.push_back(std::move(config_target));
    TRY(targets(document, "layers", links.blobs));
  }
  if (const auto* subject = document.find("subject"); subject && !subject->is_null()) {
    const auto about = TRY(target(*subject, "subject"));
    links.subject = about.digest;
  }
  if (const auto* annotations = document.find("annotations"); annotations && annotations->is_object()) links.annotations = *annotations;
  return links;
}

}  // namespace mica::registry
