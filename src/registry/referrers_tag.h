/// The tag that lists what refers to a document, at registries without a referrers API (OCI distribution spec, "Referrers Tag Schema").
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/json.h"
#include "oci/digest.h"
#include "registry/client.h"
#include "task/task.h"

namespace mica::registry {

/// "sha256-HEX".
std::string referrers_tag(const oci::Digest& subject);

/// Adds a document that has just been pushed to its subject's list; nothing when it has no subject. Others may write the tag at the same
/// time: the list is read again afterwards, and written again when our entry is lost.
Result<> keep_referrers_tag(const Repository& repository, std::string_view media_type, std::string_view bytes, const oci::Digest& digest, task::Cancel cancel);

/// The entries of an index as referrers; what is no descriptor is left out.
std::vector<Referrer> referrers_of(const json::Value& index, const std::string& artifact_type);

}  // namespace mica::registry
