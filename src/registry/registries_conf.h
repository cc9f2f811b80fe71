/// registries.conf, version 2, and its drop-in folders (containers-registries.conf(5)): where podman, skopeo and buildah fetch from.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "oci/reference.h"

namespace mica::registry {

struct ConfiguredMirror {
  std::string location;                  ///< "mirror.example/hub"
  bool insecure = false;
  bool for_tags = true, for_digests = true;   ///< kinds of references that may be pulled through it
};

/// One [[registry]].
struct ConfiguredRegistry {
  std::string prefix;                    ///< of references that it is for: "docker.io/library", "*.example.com"
  std::string location;                  ///< what goes in the prefix's place; empty: nothing does (wildcards only)
  bool insecure = false, blocked = false;
  std::vector<ConfiguredMirror> mirrors;
  std::string file;                      ///< that says so
};

class RegistriesConf {
 public:
  /// Reads the files that are there, a later one going before an earlier one: entry by entry ([[registry]] by prefix, aliases by name),
  /// else setting by setting. Errors: invalid_argument (file and line, or the entry).
  static Result<RegistriesConf> read(const std::vector<std::string>& files);
  /// The main file and drop-ins that count for this user: $CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf (with
  /// its registries.conf.d only), else that of /etc below `system_root` (with both folders).
  static std::vector<std::string> files(const std::string& system_root);

  /// The entry with the longest matching prefix, or nullptr. `reference`: "host/path:tag@digest", or a host.
  const ConfiguredRegistry* match(std::string_view reference) const;
  const std::vector<std::string>& search_registries() const { return search_; }
  /// What a short name (without tag) stands for: "registry.example/team/app"; empty: nothing.
  std::string alias(const std::string& name) const;

 private:
  Result<> merge(const std::string& file, const json::Value& content);
  Result<> merge_registries(const std::string& file, const json::Value& content);

  std::vector<ConfiguredRegistry> registries_;
  std::vector<std::string> search_;
  std::map<std::string, std::string> aliases_;
};

/// How much of `reference` the prefix covers: 0 when it does not match. "a.example" is no prefix of "a.example:5000/x".
std::size_t covered_by(std::string_view prefix, std::string_view reference);
/// The repository of `reference` with `location` in the prefix's place. Errors: invalid_argument.
Result<oci::Reference> relocated(const oci::Reference& reference, const std::string& prefix, const std::string& location);
/// "host/path:tag@digest" for match(), the host in lower case.
std::string matching_text(const oci::Reference& reference);

}  // namespace mica::registry
