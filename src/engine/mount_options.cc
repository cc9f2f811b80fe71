#include "engine/mount_options.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

using container::MountRequest;

constexpr std::string_view kPropagations[] = {"shared", "rshared", "slave", "rslave", "private", "rprivate"};

bool is_propagation(std::string_view word) { return std::find(std::begin(kPropagations), std::end(kPropagations), word) != std::end(kPropagations); }

std::string absolute(std::string_view path, const std::string& folder) {
  if (path == "~" || path.starts_with("~/"))
    if (const char* home = std::getenv("HOME")) return join_path(home, path.size() > 1 ? path.substr(2) : "");
  return join_path(folder, path);
}

Result<std::string> checked_target(std::string_view target) {
  if (target.empty() || !target.starts_with("/")) return failf(Errc::invalid_argument, "invalid mount path: '{}' mount path must be absolute", target);
  std::string clean = clean_path(target);
  if (clean == "/") return fail(Errc::invalid_argument, "invalid volume specification: destination can't be '/'");
  return clean;
}

bool is_volume_name(std::string_view text) {
  auto alphanumeric = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return text.size() >= 2 && alphanumeric(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

Result<> check_volume_name(std::string_view name) {
  if (is_volume_name(name)) return {};
  return fail(Error(Errc::invalid_argument, format("create {}: \"{}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass "
                                                   "a host directory, use absolute path", name, name)));
}

Result<bool> boolean(std::string_view key, std::string_view value) {
  if (value == "true" || value == "1" || value.empty()) return true;
  if (value == "false" || value == "0") return false;
  return failf(Errc::invalid_argument, "invalid value for {}: {}", key, value);
}

Result<> apply_word(MountRequest& mount, std::string_view word, std::string_view text) {
  const bool volume = mount.type == MountRequest::Type::volume;
  if (word == "ro" || word == "readonly") mount.read_only = true;
  else if (word == "rw" || word == "z" || word == "Z" || word == "cached" || word == "delegated" || word == "consistent" || word == "default") return {};
  else if (word == "nocopy" && volume) mount.no_copy = true;
  else if (is_propagation(word) && !volume) mount.propagation = word;
  else return failf(Errc::invalid_argument, "invalid mode: {}", text.substr(text.rfind(':') + 1));
  return {};
}

Result<> check_mount(const MountRequest& mount, std::string_view text) {
  auto wrong = [&](std::string_view why) { return failf(Errc::invalid_argument, "invalid argument {} for \"--mount\" flag: {}", quoted(text), why); };
  if (mount.target.empty()) return wrong("target is required");
  if (mount.type != MountRequest::Type::bind && (!mount.propagation.empty() || !mount.recursive || mount.create_source)) return wrong("cannot mix 'bind-*' options with this mount type");
  if (mount.type != MountRequest::Type::volume && (mount.no_copy || !mount.labels.empty() || !mount.driver.empty() || !mount.driver_options.empty()))
    return wrong("cannot mix 'volume-*' options with this mount type");
  if (mount.type != MountRequest::Type::tmpfs && (mount.tmpfs_bytes || mount.tmpfs_mode)) return wrong("cannot mix 'tmpfs-*' options with this mount type");
  if (mount.type == MountRequest::Type::bind && mount.source.empty()) return failf(Errc::invalid_argument, "invalid mount config for type \"bind\": field Source must not be empty");
  if (mount.type == MountRequest::Type::image && mount.source.empty()) return failf(Errc::invalid_argument, "invalid mount config for type \"image\": field Source must not be empty");
  if (mount.type == MountRequest::Type::tmpfs && !mount.source.empty()) return failf(Errc::invalid_argument, "invalid mount config for type \"tmpfs\": field Source must not be specified");
  return {};
}

void add_pair(container::Pairs& pairs, std::string_view value) {
  const auto pair = split_once(value, '=');
  pairs.emplace_back(pair ? pair->first : value, pair ? pair->second : "");
}

/// One key of --mount. Type and source are looked at afterwards, whatever the order.
Result<> apply_key(MountRequest& mount, const std::string& key, std::string_view value, std::string_view text, std::string& type) {
  if (key == "type") type = to_lower(value);
  else if (key == "source" || key == "src") mount.source = value;
  else if (key == "target" || key == "destination" || key == "dst") mount.target = TRY(checked_target(value));
  else if (key == "readonly" || key == "ro") mount.read_only = TRY(boolean(key, value));
  else if (key == "consistency") return {};
  else if (key == "bind-propagation") {
    if (!is_propagation(value)) return failf(Errc::invalid_argument, "invalid propagation mode: {}", value);
    mount.propagation = value;
  } else if (key == "bind-recursive") {
    if (value != "enabled" && value != "disabled" && value != "writable" && value != "readonly") return failf(Errc::invalid_argument, "invalid value for {}: {}", key, value);
    mount.recursive = value != "disabled";
  } else if (key == "bind-nonrecursive") mount.recursive = !TRY(boolean(key, value));
  else if (key == "bind-create-src") mount.create_source = TRY(boolean(key, value));
  else if (key == "volume-nocopy") mount.no_copy = TRY(boolean(key, value));
  else if (key == "volume-subpath" || key == "image-subpath") mount.subpath = value;
  else if (key == "volume-driver") mount.driver = value;
  else if (key == "volume-opt") add_pair(mount.driver_options, value);
  else if (key == "volume-label") add_pair(mount.labels, value);
  else if (key == "tmpfs-size") mount.tmpfs_bytes = TRY(parse_size(value));
  else if (key == "tmpfs-mode") {
    const auto mode = parse_octal(value);
    if (!mode) return failf(Errc::invalid_argument, "invalid value for {}: {}", key, value);
    mount.tmpfs_mode = static_cast<std::uint32_t>(*mode);
  } else {
    return failf(Errc::invalid_argument, "invalid argument {} for \"--mount\" flag: unknown option '{}' in '{}'", quoted(text), key, text);
  }
  return {};
}

/// Commas, but not those between double quotes (CSV, as Docker reads it).
std::vector<std::string> csv_fields(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    else if (c == ',' && !quoted) fields.emplace_back();
    else fields.back() += c;
  }
  return fields;
}

}  // namespace

Result<MountRequest> parse_volume_flag(std::string_view text, const std::string& folder) {
  const auto parts = split(text, ':');
  if (text.empty() || parts.size() > 3 || std::any_of(parts.begin(), parts.end(), [](auto part) { return part.empty(); }))
    return failf(Errc::invalid_argument, "invalid spec: {}: empty section between colons", text);
  MountRequest mount{.text = std::string(text)};
  const std::string_view target = parts.size() == 1 ? parts[0] : parts[1];
  mount.target = TRY(checked_target(target));
  if (parts.size() == 1) return mount;
  const std::string_view source = parts[0];
  if (source.find('/') != source.npos || source.starts_with(".") || source.starts_with("~")) {
    mount.type = MountRequest::Type::bind;
    mount.source = absolute(source, folder);
    mount.create_source = true;
    mount.text = mount.source + std::string(text.substr(source.size()));
  } else {
    TRY(check_volume_name(source));
    mount.source = source;
  }
  if (parts.size() == 3)
    for (const std::string_view word : split(parts[2], ',')) TRY(apply_word(mount, word, text));
  return mount;
}

Result<MountRequest> parse_mount_flag(std::string_view text, const std::string& folder) {
  MountRequest mount;
  std::string type = "volume";
  for (const std::string& field : csv_fields(text)) {
    const auto pair = split_once(field, '=');
    const std::string key = to_lower(pair ? pair->first : std::string_view(field));
    static constexpr std::string_view kAlone[] = {"readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"};
    if (!pair && std::find(std::begin(kAlone), std::end(kAlone), key) == std::end(kAlone))
      return failf(Errc::invalid_argument, "invalid argument {} for \"--mount\" flag: invalid field '{}' must be a key=value pair", quoted(text), field);
    TRY(apply_key(mount, key, pair ? pair->second : std::string_view("true"), text, type));
  }
  if (type == "bind") mount.type = MountRequest::Type::bind;
  else if (type == "tmpfs") mount.type = MountRequest::Type::tmpfs;
  else if (type == "image") mount.type = MountRequest::Type::image;
  else if (type != "volume") return failf(Errc::invalid_argument, "invalid argument {} for \"--mount\" flag: mount type unknown: \"{}\"", quoted(text), type);
  TRY(check_mount(mount, text));
  if (mount.type == MountRequest::Type::bind) mount.source = absolute(mount.source, folder);
  if (mount.type == MountRequest::Type::volume && !mount.source.empty()) TRY(check_volume_name(mount.source));
  return mount;
}

Result<MountRequest> parse_tmpfs_flag(std::string_view text) {
  const auto pair = split_once(text, ':');
  MountRequest mount{.type = MountRequest::Type::tmpfs, .text = std::string(text)};
  mount.target = TRY(checked_target(pair ? pair->first : text));
  if (pair && !pair->second.empty())
    for (const std::string_view option : split(pair->second, ',')) mount.tmpfs_options.emplace_back(option);
  return mount;
}

}  // namespace mica::engine
