/// Descriptors, manifests and indexes as JSON in the form of Docker's tools: their members, their order, their indentation, so that the bytes (and
/// with them digests) are the ones that buildx and docker make from the same images.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/json.h"
#include "registry/client.h"

namespace mica::engine {

/// Whose order the members of a descriptor have: OCI's (mediaType, digest, size, ...) or that of Docker's lists and manifests (mediaType, size,
/// digest, ...). Members that Go's types of these do not know are left out, as there.
enum class MemberOrder { oci, docker };
json::Value ordered_descriptor(const json::Value& descriptor, MemberOrder order);
/// `manifest` is a parsed image manifest; its media type tells the order.
json::Value ordered_manifest(const json::Value& manifest);
/// {architecture, os, os.version, os.features, variant}, of a descriptor's platform or of an image config.
json::Value ordered_platform(const json::Value& value);

/// An index whose descriptors and annotations have been checked and put in order (`manifests` is an array). Errors: corrupt.
Result<json::Value> read_index(const registry::Document& document);

/// A platform object as one asks for it: "linux/arm64" for arm64/v8.
std::string platform_text(const json::Value& platform);
/// The platform of a config as buildx writes it into an index: in the normal form, in which arm64 has no variant.
json::Value normal_platform(const json::Value& config);

/// Go's json.MarshalIndent: `<`, `>` and `&` are escaped.
std::string indented(const json::Value& value, int spaces);
std::string indented_by_tabs(const json::Value& value);

}  // namespace mica::engine
