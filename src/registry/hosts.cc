#include "registry/hosts.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "registry/certs_d.h"
#include "registry/daemon_json.h"
#include "registry/host_names.h"
#include "registry/hosts_toml.h"
#include "registry/registries_conf.h"
#include "registry/user_folders.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxCertificates = 4 << 20;

/// Where the requests of a registry go.
std::string address_of(const std::string& host) { return host == kHub ? std::string(kHubAddress) : host; }

bool is_same_place(const Endpoint& a, const Endpoint& b) {
  return a.scheme == b.scheme && a.address == b.address && a.prefix == b.prefix && a.path == b.path;
}

std::unexpected<Error> blocked(std::string_view what, const ConfiguredRegistry& by) {
  return fail(Error(Errc::permission_denied, format("{} is blocked in {} ([[registry]] {})", what, by.file, by.prefix)));
}

bool names_registry(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == name.npos) return false;
  const std::string_view first = name.substr(0, slash);
  return first.find_first_of(".:") != first.npos || first == "localhost" || to_lower(first) != first;
}

}  // namespace

struct Hosts::State {
  explicit State(std::string root) : system_root(std::move(root)) {}

  const std::string system_root;
  std::mutex mutex;   // of what follows
  std::optional<Result<RegistriesConf>> conf;
  std::optional<Result<DaemonJson>> daemon;
  std::map<std::string, Result<HostCertificates>> certificates;        // by credential host and address
  std::map<std::string, Result<std::optional<HostsToml>>> settings;    // by host
  std::map<std::vector<std::string>, sys::Fd> merged;                  // authorities of several files as one

  Result<const RegistriesConf*> registries() {
    if (!conf) conf = RegistriesConf::read(RegistriesConf::files(system_root));
    if (!*conf) return fail(conf->error());
    return &**conf;
  }
  Result<const DaemonJson*> docker() {
    if (!daemon) daemon = DaemonJson::read({join_path(system_root, "etc/docker/daemon.json"), join_path(config_home(), "docker/daemon.json")});
    if (!*daemon) return fail(daemon->error());
    return &**daemon;
  }
  /// The first hosts.toml for the host, else the first of a folder "_default".
  Result<const HostsToml*> toml_for(const std::string& host) {
    auto known = settings.find(host);
    if (known == settings.end()) known = settings.emplace(host, find_toml(host)).first;
    if (!known->second) return fail(known->second.error());
    return *known->second ? &**known->second : nullptr;
  }
  Result<std::optional<HostsToml>> find_toml(const std::string& host) const {
    std::vector<std::string> names = folder_names(host);
    const auto folders = certs_d_folders(system_root);
    for (const auto& group : {names, std::vector<std::string>{"_default"}})
      for (const std::string& folder : folders)
        for (const std::string& name : group) {
          auto found = TRY(read_hosts_toml(join_path(folder, name + "/hosts.toml")));
          if (found) return found;
        }
    return std::nullopt;
  }

  /// One path for the files' content. Several are put together in memory, not in a file that somebody would have to clean up.
  Result<std::string> one_file(const std::vector<std::string>& files) {
    if (files.size() < 2) return files.empty() ? std::string() : files[0];
    auto known = merged.find(files);
    if (known == merged.end()) {
      sys::Fd fd(::memfd_create("mica-authorities", MFD_CLOEXEC));
      if (!fd) return fail_errno("making a file in memory");
      for (const std::string& file : files) {
        const std::string text = TRY_DOING(sys::read_file(file, kMaxCertificates), "reading certificates");
        TRY(sys::write_all(fd, text + "\n"));
      }
      known = merged.emplace(files, std::move(fd)).first;
    }
    return format("/proc/self/fd/{}", known->second.get());
  }

  /// Certificates of certs.d, and of a hosts.toml's entry.
  Result<> add_certificates(Endpoint& place, const TomlHost* entry) {
    const std::string key = place.host + " " + place.address;
    auto known = certificates.find(key);
    if (known == certificates.end()) {
      std::vector<std::string> hosts = {place.host};
      if (place.address != place.host) hosts.push_back(place.address);
      known = certificates.emplace(key, read_certificates(certs_d_folders(system_root), hosts)).first;
    }
    if (!known->second) return fail(known->second.error());
    std::vector<std::string> authorities = known->second->authorities;
    place.client_cert = known->second->client_cert;
    place.client_key = known->second->client_key;
    if (entry) {
      authorities.insert(authorities.end(), entry->authorities.begin(), entry->authorities.end());
      if (!entry->client_cert.empty()) {
        place.client_cert = entry->client_cert;
        place.client_key = entry->client_key;
      }
      if (entry->skip_verify) place.verify_tls = false;
    }
    place.ca_file = TRY(one_file(authorities));
    return {};
  }

  /// What counts for a place whoever named it: certificates, loopback, the lists of insecure registries.
  Result<> finish(Endpoint& place, bool insecure, const TomlHost* entry) {
    place.plain_http = place.scheme == "http" || is_loopback(place.address);
    const DaemonJson* daemon_json = TRY(docker());
    for (const auto& listed : daemon_json->insecure) {
      if (insecure || !(is_in(listed.place, place.host) || (place.address != place.host && is_in(listed.place, place.address)))) continue;
      insecure = true;
      if (place.configured_in.empty()) place.configured_in = listed.file;
    }
    if (insecure) {
      place.plain_http = true;
      place.verify_tls = false;
    }
    return add_certificates(place, entry);
  }

  Result<Endpoint> mirror_of(const TomlHost& entry, const Endpoint& registry, const std::string& file) {
    Endpoint place{.scheme = entry.scheme, .address = entry.address, .host = registry_host(entry.address), .prefix = entry.prefix, .path = registry.path,
                   .mirror = true, .serves_tags = entry.resolve, .serves_digests = entry.pull, .configured_in = file};
    if (place.host == kHub) place.address = kHubAddress;
    if (place.address != registry.address) place.query = "ns=" + registry.host;
    TRY(finish(place, false, &entry));
    return place;
  }

  Result<Endpoint> mirror_of(const DaemonJson::Mirror& mirror) {
    const std::size_t after_scheme = mirror.url.find("://") + 3;
    const std::size_t slash = std::min(mirror.url.find('/', after_scheme), mirror.url.size());
    Endpoint place{.scheme = to_lower(mirror.url.substr(0, after_scheme - 3)), .address = to_lower(mirror.url.substr(after_scheme, slash - after_scheme)),
                   .prefix = mirror.url.substr(slash) + "/v2", .mirror = true, .configured_in = mirror.file};
    place.host = registry_host(place.address);
    TRY(finish(place, false, nullptr));
    return place;
  }

  /// The registry itself. With `settings` its requests go where a hosts.toml has its server.
  Result<Endpoint> registry_itself(const std::string& host, const std::string& path, bool insecure, const std::string& file, const HostsToml* toml) {
    Endpoint place{.address = address_of(host), .host = host, .path = path, .configured_in = file};
    if (!toml) {
      TRY(finish(place, insecure, nullptr));
      return place;
    }
    place.configured_in = toml->file;
    place.prefix = toml->server.prefix;
    place.scheme = toml->server.scheme;
    if (!toml->server.address.empty() && !same_registry(toml->server.address, host)) {
      // The registry's own credentials are not for a server of another name.
      place.address = toml->server.address;
      place.host = registry_host(toml->server.address);
      place.query = "ns=" + host;
    }
    TRY(finish(place, insecure, &toml->server));
    return place;
  }

  /// Mirrors of `registry` (its own entry's, hosts.toml's, the hub's of daemon.json) and it itself, last.
  Result<std::vector<Endpoint>> places(const oci::Reference& reference) {
    const RegistriesConf* registries_conf = TRY(registries());
    const ConfiguredRegistry* entry = registries_conf->match(matching_text(reference));
    if (entry && entry->blocked) return blocked(reference.familiar(), *entry);
    const oci::Reference target = entry ? TRY_DOING(relocated(reference, entry->prefix, entry->location), "using " + entry->file) : reference;
    const std::string host = registry_host(target.registry);
    const HostsToml* toml = TRY(toml_for(host));
    Endpoint itself = TRY(registry_itself(host, target.path, entry && entry->insecure, entry ? entry->file : "", toml));

    std::vector<Endpoint> found;
    const auto add = [&](Endpoint place) {
      const bool again = std::ranges::any_of(found, [&](const Endpoint& other) { return is_same_place(place, other); });
      if (!again && !is_same_place(place, itself)) found.push_back(std::move(place));
    };
    for (const ConfiguredMirror& mirror : entry ? entry->mirrors : std::vector<ConfiguredMirror>{}) {
      if (reference.digest.empty() ? !mirror.for_tags : !mirror.for_digests) continue;
      auto place = TRY(configured_mirror(reference, *entry, mirror));
      add(std::move(place));
    }
    // A registry that is only the upstream of mirrors above may still have these of its own.
    if (toml)
      for (const TomlHost& mirror : toml->hosts) {
        if (!mirror.pull && !mirror.resolve) continue;
        auto place = TRY(mirror_of(mirror, Endpoint{.address = address_of(host), .host = host, .path = target.path}, toml->file));
        add(std::move(place));
      }
    if (host == kHub) {
      const DaemonJson* daemon_json = TRY(docker());
      for (const auto& mirror : daemon_json->mirrors) {
        auto place = TRY(mirror_of(mirror));
        place.path = target.path;
        add(std::move(place));
      }
    }
    found.push_back(std::move(itself));
    return found;
  }

  Result<Endpoint> configured_mirror(const oci::Reference& reference, const ConfiguredRegistry& entry, const ConfiguredMirror& mirror) {
    const auto target = TRY_DOING(relocated(reference, entry.prefix, mirror.location), "using " + entry.file);
    const std::string host = registry_host(target.registry);
    // A mirror for tags only serves what belongs to the tag by digest, too.
    Endpoint place{.address = address_of(host), .host = host, .path = target.path, .mirror = true, .serves_tags = mirror.for_tags, .configured_in = entry.file};
    TRY(finish(place, mirror.insecure, nullptr));
    return place;
  }
};

Hosts::Hosts(std::string system_root) : state_(std::make_shared<State>(std::move(system_root))) {}

Result<std::vector<Endpoint>> Hosts::for_pull(const oci::Reference& reference) const {
  const std::lock_guard lock(state_->mutex);
  return state_->places(reference);
}

Result<Endpoint> Hosts::for_push(const oci::Reference& reference) const {
  const std::lock_guard lock(state_->mutex);
  auto places = TRY(state_->places(reference));
  Endpoint place = std::move(places.back());
  const RegistriesConf* conf = TRY(state_->registries());
  const ConfiguredRegistry* entry = conf->match(matching_text(reference));
  const oci::Reference target = entry ? TRY(relocated(reference, entry->prefix, entry->location)) : reference;
  const HostsToml* toml = TRY(state_->toml_for(registry_host(target.registry)));
  if (toml && !toml->server.push)
    return failf(Errc::permission_denied, "{}: {} does not give the server the capability \"push\"", reference.familiar_name(), toml->file);
  return place;
}

Result<Endpoint> Hosts::for_host(const std::string& name) const {
  const std::string host = registry_host(name);
  const std::lock_guard lock(state_->mutex);
  const RegistriesConf* conf = TRY(state_->registries());
  const ConfiguredRegistry* entry = conf->match(host);
  if (entry && entry->blocked) return blocked(host, *entry);
  const HostsToml* toml = TRY(state_->toml_for(host));
  if (toml && !toml->server.address.empty() && !same_registry(toml->server.address, host)) toml = nullptr;
  return state_->registry_itself(host, "", entry && entry->insecure, entry ? entry->file : "", toml);
}

Result<std::vector<oci::Reference>> Hosts::candidates(std::string_view name) const {
  const oci::Reference plain = TRY(oci::Reference::parse(name));
  if (names_registry(name)) return std::vector{plain};
  const std::lock_guard lock(state_->mutex);
  const RegistriesConf* conf = TRY(state_->registries());
  const std::size_t end = std::min(name.find_first_of(":@"), name.size());
  std::vector<std::string> names;
  if (const std::string alias = conf->alias(std::string(name.substr(0, end))); !alias.empty()) {
    names.push_back(alias + std::string(name.substr(end)));
  } else {
    for (const std::string& registry : conf->search_registries()) names.push_back(format("{}/{}", trim_right(registry, "/"), name));
  }
  if (names.empty()) return std::vector{plain};
  std::vector<oci::Reference> found;
  for (const std::string& full : names) {
    auto reference = TRY_DOING(oci::Reference::parse(full), format("looking for {}: {}", quoted(name), quoted(full)));
    found.push_back(std::move(reference));
  }
  return found;
}

std::vector<std::string> Hosts::certificate_folders(const std::string& address) const {
  std::vector<std::string> folders = certs_d_folders(state_->system_root);
  for (std::string& folder : folders) folder = join_path(folder, address);
  return folders;
}

}  // namespace mica::registry
