#include <algorithm>
#include <array>

#include "base/format.h"
#include "oci/image.h"
#include "oci/members.h"

namespace mica::oci {
namespace {

// A descriptor may name at most this many bytes: 2^53, what every JSON reader holds exactly.
constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;

Result<Platform> parse_platform(const json::Value& value, const std::string& where) {
  const MembersView members = TRY(MembersView::of(value, where));
  Platform platform;
  platform.os = TRY(members.text("os"));
  platform.architecture = TRY(members.text("architecture"));
  platform.variant = TRY(members.text("variant"));
  platform.os_version = TRY(members.text("os.version"));
  return platform;
}

Result<Descriptor> parse_descriptor(const json::Value& value, const std::string& where) {
  const MembersView members = TRY(MembersView::of(value, where));
  Descriptor descriptor;
  descriptor.media_type = TRY(members.text("mediaType"));
  const std::string digest = TRY(members.text("digest"));
  if (digest.empty()) return failf(Errc::corrupt, "{} is missing", members.path("digest"));
  auto known = Digest::parse(digest);
  if (!known) {
    const Errc code = known.error().code() == Errc::unsupported ? Errc::unsupported : Errc::corrupt;
    return fail(std::move(known).error().with_code(code).doing(members.path("digest")));
  }
  descriptor.digest = std::move(*known);
  if (!members.find("size")) return failf(Errc::corrupt, "{} is missing", members.path("size"));
  descriptor.size = TRY(members.integer("size"));
  if (descriptor.size < 0 || descriptor.size > kMaxSize)
    return failf(Errc::corrupt, "{} is {}, which no blob can have", members.path("size"), descriptor.size);
  if (const json::Value* platform = members.find("platform"))
    descriptor.platform = TRY(parse_platform(*platform, members.path("platform")));
  descriptor.annotations = TRY(members.pairs("annotations"));
  return descriptor;
}

Result<std::vector<Descriptor>> parse_descriptors(const MembersView& document, std::string_view key) {
  const json::Array* items = TRY(document.array(key));
  std::vector<Descriptor> result;
  if (!items) return result;
  for (const json::Value& item : *items) {
    Descriptor descriptor = TRY(parse_descriptor(item, format("{}[{}]", key, result.size())));
    result.push_back(std::move(descriptor));
  }
  return result;
}

/// The checks that keep one document from being read as two kinds (CVE-2021-41190).
Result<> check_kind(const MembersView& document, std::string_view wanted, std::string_view foreign,
                    const std::array<std::string_view, 2>& media_types, std::string_view kind) {
  const std::int64_t schema = TRY(document.integer("schemaVersion"));
  if (schema == 1 || document.find("fsLayers"))
    return fail(Error(Errc::unsupported, "schema 1 manifests are no longer supported")
                    .with_hint("build or push the image again with a current tool"));
  if (schema != 2) return failf(Errc::corrupt, "not an image {}: schemaVersion is {}, not 2", kind, schema);
  const std::string media_type = TRY(document.text("mediaType"));
  if (!media_type.empty() && media_type != media_types[0] && media_type != media_types[1])
    return failf(Errc::corrupt, "not an image {}: mediaType is {}", kind, quoted(media_type.substr(0, 200)));
  if (document.find(foreign)) return failf(Errc::corrupt, "an image {} with \"{}\" is ambiguous", kind, foreign);
  if (!document.find(wanted)) return failf(Errc::corrupt, "not an image {}: \"{}\" is missing", kind, wanted);
  return {};
}

json::Value to_json(const Annotations& annotations) {
  Annotations sorted = annotations;
  std::ranges::sort(sorted);
  json::Object result;
  for (const auto& [name, text] : sorted) result.emplace_back(name, text);
  return result;
}

json::Value to_json(const Platform& platform) {
  json::Value result;
  result.set("architecture", platform.architecture);
  result.set("os", platform.os);
  if (!platform.os_version.empty()) result.set("os.version", platform.os_version);
  if (!platform.variant.empty()) result.set("variant", platform.variant);
  return result;
}

json::Value to_json(const Descriptor& descriptor) {
  json::Value result;
  result.set("mediaType", descriptor.media_type);
  result.set("digest", descriptor.digest.str());
  result.set("size", descriptor.size);
  if (!descriptor.annotations.empty()) result.set("annotations", to_json(descriptor.annotations));
  if (descriptor.platform) result.set("platform", to_json(*descriptor.platform));
  return result;
}

json::Value to_json(const std::vector<Descriptor>& descriptors) {
  json::Value result = json::Value::array();
  for (const Descriptor& descriptor : descriptors) result.push(to_json(descriptor));
  return result;
}

}  // namespace

Result<Manifest> Manifest::parse(std::string_view bytes) {
  const json::Value value = TRY_DOING(json::parse(bytes), "reading image manifest");
  const MembersView document = TRY_DOING(MembersView::of(value, ""), "reading image manifest");
  TRY_DOING(check_kind(document, "config", "manifests", {kOciManifest, kDockerManifest}, "manifest"), "reading image manifest");
  Manifest manifest;
  manifest.media_type = TRY(document.text("mediaType"));
  if (manifest.media_type.empty()) manifest.media_type = kOciManifest;
  manifest.config = TRY_DOING(parse_descriptor(*document.find("config"), "config"), "reading image manifest");
  manifest.layers = TRY_DOING(parse_descriptors(document, "layers"), "reading image manifest");
  manifest.annotations = TRY_DOING(document.pairs("annotations"), "reading image manifest");
  return manifest;
}

std::string Manifest::write() const {
  json::Value value;
  value.set("schemaVersion", 2);
  value.set("mediaType", media_type);
  value.set("config", to_json(config));
  value.set("layers", to_json(layers));
  if (!annotations.empty()) value.set("annotations", to_json(annotations));
  return json::write_for_html(value);
}

Result<Index> Index::parse(std::string_view bytes) {
  const json::Value value = TRY_DOING(json::parse(bytes), "reading image index");
  const MembersView document = TRY_DOING(MembersView::of(value, ""), "reading image index");
  TRY_DOING(check_kind(document, "manifests", "layers", {kOciIndex, kDockerIndex}, "index"), "reading image index");
  Index index;
  index.media_type = TRY(document.text("mediaType"));
  if (index.media_type.empty()) index.media_type = kOciIndex;
  index.manifests = TRY_DOING(parse_descriptors(document, "manifests"), "reading image index");
  index.annotations = TRY_DOING(document.pairs("annotations"), "reading image index");
  return index;
}

std::string Index::write() const {
  json::Value value;
  value.set("schemaVersion", 2);
  value.set("mediaType", media_type);
  value.set("manifests", to_json(manifests));
  if (!annotations.empty()) value.set("annotations", to_json(annotations));
  return json::write_for_html(value);
}

}  // namespace mica::oci
