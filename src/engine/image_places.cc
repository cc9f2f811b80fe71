#include "engine/image_places.h"

#include <cstdlib>

#include "base/format.h"
#include "engine/archive_places.h"
#include "engine/layout_places.h"
#include "engine/registry_places.h"

namespace mica::engine {
namespace {

using Kind = ImagePlace::Kind;

struct Prefix {
  std::string_view text;
  Kind kind;
};
constexpr Prefix kPrefixes[] = {{"oci:", Kind::layout}, {"oci-archive:", Kind::oci_archive}, {"docker-archive:", Kind::docker_archive}};
constexpr std::string_view kForeign[] = {"containers-storage:", "docker-daemon:", "sif:", "ostree:"};

Result<ImagePlace> parse_path(std::string_view text, std::string_view whole, Kind kind) {
  ImagePlace place{.kind = kind};
  if (const auto at = text.rfind("@sha256:"); at != text.npos && kind == Kind::layout) {
    place.digest = TRY_DOING(oci::Digest::parse(text.substr(at + 1)), format("reading {}", quoted(whole)));
    text = text.substr(0, at);
  }
  const auto colon = text.find(':');
  place.path = text.substr(0, colon);
  if (colon != text.npos) place.name = text.substr(colon + 1);
  if (place.path.empty()) return failf(Errc::invalid_argument, "{} names no path", quoted(whole));
  if (colon != text.npos && place.name.empty()) return failf(Errc::invalid_argument, "{} ends in a colon: the name of the image is missing", quoted(whole));
  if (place.path == "-" && kind == Kind::layout) return failf(Errc::invalid_argument, "{}: a layout is a folder; oci-archive:- reads or writes a stream", quoted(whole));
  if (kind == Kind::docker_archive && !place.name.empty()) TRY_DOING(oci::Reference::parse(place.name), format("reading {}", quoted(whole)));
  return place;
}

}  // namespace

Result<ImagePlace> ImagePlace::parse(std::string_view text, bool default_tag) {
  for (const Prefix& prefix : kPrefixes)
    if (text.starts_with(prefix.text)) return parse_path(text.substr(prefix.text.size()), text, prefix.kind);
  for (const std::string_view foreign : kForeign)
    if (text.starts_with(foreign))
      return fail(Error(Errc::unsupported, format("{} is a place of another program", quoted(text))).with_hint("places are REF, docker://REF, oci:PATH, oci-archive:PATH and docker-archive:PATH"));
  std::string_view name = text;
  if (name.starts_with("docker://")) name.remove_prefix(9);
  if (name.find("://") != name.npos) return fail(Error(Errc::invalid_argument, format("{} is no place of an image", quoted(text))).with_hint("remove the scheme"));
  ImagePlace place;
  place.reference = TRY_DOING(oci::Reference::parse(name, default_tag), format("reading {}", quoted(text)));
  return place;
}

std::string ImagePlace::str() const {
  if (kind == Kind::registry) return reference.str();
  std::string out;
  for (const Prefix& prefix : kPrefixes)
    if (prefix.kind == kind) out = prefix.text;
  out += path;
  if (!name.empty()) out += ":" + name;
  if (!digest.empty()) out += "@" + digest.str();
  return out;
}

Result<std::unique_ptr<ImageSource>> open_source(CopySession& session, const ImagePlace& place, task::Cancel cancel) {
  switch (place.kind) {
    case Kind::registry: return registry_source(session, place);
    case Kind::layout: return layout_source(place);
    case Kind::oci_archive: return oci_archive_source(place, cancel);
    case Kind::docker_archive: return docker_archive_source(session, place, cancel);
  }
  return fail(Errc::internal, "no such kind of place");
}

Result<std::unique_ptr<ImageTarget>> open_target(CopySession& session, const ImagePlace& place) {
  if (!place.digest.empty()) return failf(Errc::invalid_argument, "{}: a layout gives no image another digest than its own", quoted(place.str()));
  switch (place.kind) {
    case Kind::registry: return registry_target(session, place);
    case Kind::layout: return layout_target(place);
    case Kind::oci_archive: return oci_archive_target(place);
    case Kind::docker_archive: return docker_archive_target(place);
  }
  return fail(Errc::internal, "no such kind of place");
}

std::string temporary_folder() {
  const char* set = std::getenv("TMPDIR");
  return set && *set ? set : "/var/tmp";
}

}  // namespace mica::engine
