#include "registry/registries_conf.h"

#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "registry/host_names.h"
#include "registry/toml.h"
#include "registry/user_folders.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

/// Errors name the file and the entry: toml++'s positions do not outlive the parser.
class Entry {
 public:
  Entry(const std::string& file, std::string where, const json::Value& table) : file_(file), where_(std::move(where)), table_(table) {}

  Result<std::string> text(std::string_view key) const {
    const json::Value* value = table_.find(key);
    if (!value) return std::string();
    if (!value->is_string()) return wrong(format("\"{}\" must be a string", key));
    return value->as_string();
  }
  Result<bool> flag(std::string_view key) const {
    const json::Value* value = table_.find(key);
    if (!value) return false;
    if (!value->is_bool()) return wrong(format("\"{}\" must be true or false", key));
    return value->as_bool();
  }
  /// A location or prefix: no scheme, no slash at the end, the host in lower case.
  Result<std::string> place(std::string_view key) const {
    const std::string given = TRY(text(key));
    if (given.find("://") != given.npos) return wrong(format("\"{}\" is {}: it must not have a scheme", key, quoted(given)));
    const std::string_view trimmed = trim_right(given, "/");
    const std::size_t slash = std::min(trimmed.find('/'), trimmed.size());
    return to_lower(trimmed.substr(0, slash)) + std::string(trimmed.substr(slash));
  }
  /// A place that can be connected to.
  Result<std::string> location() const {
    const std::string place = TRY(this->place("location"));
    const std::string_view host = std::string_view(place).substr(0, place.find('/'));
    if (!place.empty() && host.find_first_of(".:") == host.npos && host != "localhost")
      return wrong(format("location {} must begin with a registry's host", quoted(place)));
    return place;
  }
  std::unexpected<Error> wrong(std::string_view why) const { return failf(Errc::invalid_argument, "{}: {}: {}", file_, where_, why); }

 private:
  const std::string& file_;
  std::string where_;
  const json::Value& table_;
};

Result<ConfiguredMirror> read_mirror(const Entry& entry, bool digest_only) {
  ConfiguredMirror mirror;
  mirror.location = TRY(entry.location());
  if (mirror.location.empty()) return entry.wrong("a mirror needs a \"location\"");
  mirror.insecure = TRY(entry.flag("insecure"));
  const std::string pulls = TRY(entry.text("pull-from-mirror"));
  if (digest_only && !pulls.empty()) return entry.wrong("\"pull-from-mirror\" does not go with the registry's \"mirror-by-digest-only\"");
  if (!pulls.empty() && pulls != "all" && pulls != "digest-only" && pulls != "tag-only")
    return entry.wrong(format("\"pull-from-mirror\" must be all, digest-only or tag-only, not {}", quoted(pulls)));
  mirror.for_tags = !digest_only && pulls != "digest-only";
  mirror.for_digests = pulls != "tag-only";
  return mirror;
}

Result<std::span<const json::Value>> tables(const std::string& file, const json::Value& parent, std::string_view name) {
  const json::Value* value = parent.find(name);
  if (!value) return std::span<const json::Value>();
  const bool right = value->is_array() && std::ranges::all_of(value->as_array(), [](const json::Value& item) { return item.is_object(); });
  if (!right) return failf(Errc::invalid_argument, "{}: \"{}\" must be a list of tables: [[{}]]", file, name, name);
  return std::span<const json::Value>(value->as_array());
}

Result<ConfiguredRegistry> read_registry(const std::string& file, const json::Value& table, std::size_t number) {
  const Entry nameless(file, format("[[registry]] {}", number), table);
  ConfiguredRegistry registry{.file = file};
  registry.prefix = TRY(nameless.place("prefix"));
  registry.location = TRY(nameless.location());
  if (registry.prefix.empty() && registry.location.empty()) return nameless.wrong("needs a \"location\" or a \"prefix\"");
  if (registry.prefix.empty()) registry.prefix = registry.location;
  const bool wildcard = registry.prefix.starts_with("*.");
  if (registry.prefix.find('*', wildcard ? 1 : 0) != registry.prefix.npos || (wildcard && registry.prefix.find('/') != registry.prefix.npos))
    return nameless.wrong(format("prefix {}: a wildcard must have the form *.example.com", quoted(registry.prefix)));
  if (registry.location.empty() && !wildcard) registry.location = registry.prefix;

  const Entry entry(file, format("[[registry]] {}", registry.prefix), table);
  registry.insecure = TRY(entry.flag("insecure"));
  registry.blocked = TRY(entry.flag("blocked"));
  const bool digest_only = TRY(entry.flag("mirror-by-digest-only"));
  if (table.find("pull-from-mirror")) return entry.wrong("\"pull-from-mirror\" belongs into a [[registry.mirror]]");
  const auto mirrors = TRY(tables(file, table, "mirror"));
  for (const json::Value& mirror : mirrors) {
    auto read = TRY(read_mirror(Entry(file, format("a mirror of {}", registry.prefix), mirror), digest_only));
    registry.mirrors.push_back(std::move(read));
  }
  return registry;
}

void add_drop_ins(const std::string& folder, std::vector<std::string>& files) {
  const auto fd = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (!fd) return;
  for (const std::string& name : sys::list_names(*fd).value_or(std::vector<std::string>{}))
    if (name.ends_with(".conf")) files.push_back(join_path(folder, name));
}

/// What "*.example.com" covers of "a.b.example.com:5000/x": the host name, up to port or path.
std::size_t covered_by_wildcard(std::string_view suffix, std::string_view reference) {
  const std::string_view name = reference.substr(0, reference.find_first_of(":/@"));
  return name.size() > suffix.size() && name.ends_with(suffix) ? name.size() : 0;
}

}  // namespace

std::vector<std::string> RegistriesConf::files(const std::string& system_root) {
  const std::string named = variable("CONTAINERS_REGISTRIES_CONF");
  const std::string own = join_path(config_home(), "containers/registries.conf");
  const std::string system = join_path(system_root, "etc/containers/registries.conf");
  const bool own_only = named.empty() && sys::exists(own);
  std::vector<std::string> files = {!named.empty() ? named : own_only ? own : system};
  if (!own_only) add_drop_ins(system + ".d", files);
  add_drop_ins(own + ".d", files);
  return files;
}

Result<RegistriesConf> RegistriesConf::read(const std::vector<std::string>& files) {
  RegistriesConf conf;
  for (const std::string& file : files) {
    const auto content = TRY_DOING(read_toml(file), "reading the configuration of registries");
    if (content) TRY_DOING(conf.merge(file, *content), "reading the configuration of registries");
  }
  return conf;
}

Result<> RegistriesConf::merge(const std::string& file, const json::Value& content) {
  // Passing over what it blocks or where it leads would be worse than not working.
  if (content.find("registries"))
    return failf(Errc::invalid_argument, "{}: [registries.search], [registries.insecure] and [registries.block] are of version 1: use [[registry]]", file);
  TRY(merge_registries(file, content));
  if (const json::Value* search = content.find("unqualified-search-registries")) {
    search_ = content.strings("unqualified-search-registries");
    if (!search->is_array() || search_.size() != search->as_array().size())
      return failf(Errc::invalid_argument, "{}: \"unqualified-search-registries\" must be a list of strings", file);
  }
  const json::Value* aliases = content.find("aliases");
  if (!aliases) return {};
  if (!aliases->is_object()) return failf(Errc::invalid_argument, "{}: \"aliases\" must be a table", file);
  for (const auto& [name, value] : aliases->as_object()) {
    if (!value.is_string()) return failf(Errc::invalid_argument, "{}: the alias {} must be a string", file, quoted(name));
    aliases_.insert_or_assign(name, value.as_string());
  }
  return {};
}

Result<> RegistriesConf::merge_registries(const std::string& file, const json::Value& content) {
  std::size_t number = 0;
  const auto registries = TRY(tables(file, content, "registry"));
  for (const json::Value& table : registries) {
    ConfiguredRegistry registry = TRY(read_registry(file, table, ++number));
    const auto same = std::ranges::find(registries_, registry.prefix, &ConfiguredRegistry::prefix);
    if (same == registries_.end()) registries_.push_back(std::move(registry));
    else if (same->file == file && same->blocked != registry.blocked)
      return failf(Errc::invalid_argument, "{}: [[registry]] {} is there twice, blocked and not", file, registry.prefix);
    else *same = std::move(registry);
  }
  return {};
}

const ConfiguredRegistry* RegistriesConf::match(std::string_view reference) const {
  const ConfiguredRegistry* best = nullptr;
  std::size_t longest = 0;
  for (const ConfiguredRegistry& registry : registries_) {
    // "*.example.com" covers the whole host, but is less than the host itself.
    if (covered_by(registry.prefix, reference) == 0 || (best && registry.prefix.size() <= longest)) continue;
    best = &registry;
    longest = registry.prefix.size();
  }
  return best;
}

std::string RegistriesConf::alias(const std::string& name) const {
  const auto found = aliases_.find(name);
  return found == aliases_.end() ? "" : found->second;
}

std::size_t covered_by(std::string_view prefix, std::string_view reference) {
  if (prefix.starts_with("*.")) return covered_by_wildcard(prefix.substr(1), reference);
  if (!reference.starts_with(prefix)) return 0;
  if (reference.size() == prefix.size()) return prefix.size();
  const char next = reference[prefix.size()];
  const bool ends = next == '/' || (prefix.find('/') != prefix.npos && (next == ':' || next == '@'));
  return ends ? prefix.size() : 0;
}

Result<oci::Reference> relocated(const oci::Reference& reference, const std::string& prefix, const std::string& location) {
  if (location.empty()) return reference;
  const std::string text = matching_text(reference);
  return oci::Reference::parse(location + text.substr(covered_by(prefix, text)), false);
}

std::string matching_text(const oci::Reference& reference) {
  std::string text = registry_host(reference.registry) + "/" + reference.path;
  if (!reference.tag.empty()) text += ":" + reference.tag;
  if (!reference.digest.empty()) text += "@" + reference.digest.str();
  return text;
}

}  // namespace mica::registry
