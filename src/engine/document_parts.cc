#include "engine/document_parts.h"

#include "base/format.h"
#include "base/text.h"
#include "oci/members.h"

namespace mica::engine {
namespace {

constexpr std::string_view kOciArtifact = "application/vnd.oci.artifact.manifest.v1+json";
constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;

Result<oci::Descriptor> read_descriptor(const json::Value& value, const std::string& where) {
  const auto members = TRY(oci::MembersView::of(value, where));
  oci::Descriptor out;
  out.media_type = TRY(members.text("mediaType"));
  const std::string digest = TRY(members.text("digest"));
  out.digest = TRY_DOING(oci::Digest::parse(digest), members.path("digest"));
  out.size = TRY(members.integer("size"));
  if (out.size < 0 || out.size > kMaxSize) return failf(Errc::corrupt, "{} is {}, which no blob can have", members.path("size"), out.size);
  return out;
}

bool is_foreign(std::string_view media_type) { return media_type.starts_with(oci::kOciForeign) || media_type.starts_with(oci::kDockerForeign); }

/// What is no image for anybody: attestations that BuildKit puts beside images.
bool is_attestation(const oci::Descriptor& entry) { return entry.platform && entry.platform->os == "unknown" && entry.platform->architecture == "unknown"; }

}  // namespace

bool is_index(std::string_view media_type) { return media_type == oci::kOciIndex || media_type == oci::kDockerIndex; }

bool is_document(std::string_view media_type) {
  return is_index(media_type) || media_type == oci::kOciManifest || media_type == oci::kDockerManifest || media_type == kOciArtifact;
}

Result<std::string> document_type(std::string_view bytes, const std::string& told) {
  const auto value = TRY_DOING(json::parse(bytes), "reading a manifest");
  const std::string own = value.string_or("mediaType");
  if (!own.empty() && !told.empty() && own != told) return failf(Errc::corrupt, "a document says of itself that it is {}, not {}", quoted(own.substr(0, 200)), quoted(told.substr(0, 200)));
  if (!own.empty()) return own;
  if (!told.empty()) return told;
  return std::string(value.find("manifests") ? oci::kOciIndex : oci::kOciManifest);
}

Result<DocumentParts> parts_of(const registry::Document& document) {
  const auto value = TRY_DOING(json::parse(document.bytes), format("reading {}", document.digest.str()));
  const auto members = TRY_DOING(oci::MembersView::of(value, ""), format("reading {}", document.digest.str()));
  DocumentParts out;
  const auto add = [&](const json::Value& item, const std::string& where) -> Result<> {
    auto descriptor = TRY_DOING(read_descriptor(item, where), format("reading {}", document.digest.str()));
    auto& list = where.starts_with("manifests") && is_document(descriptor.media_type) ? out.documents : is_foreign(descriptor.media_type) ? out.foreign : out.blobs;
    list.push_back(std::move(descriptor));
    return {};
  };
  if (const json::Value* config = members.find("config")) TRY(add(*config, "config"));
  for (const std::string_view key : {"layers", "blobs", "manifests"}) {
    const json::Array* list = TRY(members.array(key));
    for (std::size_t i = 0; list && i < list->size(); ++i) TRY(add((*list)[i], format("{}[{}]", key, i)));
  }
  if (const json::Value* subject = members.find("subject")) {
    auto descriptor = TRY_DOING(read_descriptor(*subject, "subject"), format("reading {}", document.digest.str()));
    out.subject = descriptor.digest;
  }
  return out;
}

Result<oci::Descriptor> choose_entry(const oci::Index& index, const oci::Platform& platform) {
  const oci::Descriptor* best = nullptr;
  int liked = 0;
  std::vector<std::string> have;
  for (const auto& entry : index.manifests) {
    if (is_attestation(entry)) continue;
    if (entry.platform) have.push_back(entry.platform->str());
    // An entry without platform may hold anything: only an index says so inside, or it is the only one there is.
    const int preference = entry.platform ? oci::preference(platform, *entry.platform) : index.manifests.size() == 1 || is_index(entry.media_type) ? 1 : 0;
    if (preference <= liked) continue;
    liked = preference;
    best = &entry;
  }
  if (best) return *best;
  Error error(Errc::not_found, format("no matching manifest for {} in the manifest list entries", platform.str()));
  if (have.empty()) return fail(std::move(error));
  return fail(std::move(error).with_hint(format("there is {}: choose with --platform", join(have, ", "))));
}

}  // namespace mica::engine
