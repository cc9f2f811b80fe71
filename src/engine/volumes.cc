#include "engine/volumes.h"

#include <algorithm>
#include <cctype>

#include "base/format.h"
#include "base/text.h"
#include "container/events.h"
#include "engine/container_list.h"
#include "engine/filters.h"
#include "engine/layout.h"

namespace mica::engine {
namespace {

constexpr int kNameBytes = 32;
constexpr std::string_view kListFilters[] = {"dangling", "driver", "label", "name"};
constexpr std::string_view kPruneFilters[] = {"all", "label", "label!"};
constexpr std::string_view kOptions[] = {"type", "o", "device", "size"};

bool is_valid_name(std::string_view name) {
  const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return name.size() > 1 && word(name[0]) && std::ranges::all_of(name, [&](char c) { return word(c) || c == '_' || c == '.' || c == '-'; });
}

/// What the local driver takes, as Docker's: a file system to be mounted while a container uses the volume.
Result<> check_options(const container::VolumeRow& volume) {
  bool has_type = false, has_device = false, has_o = false;
  for (const auto& [key, value] : volume.options) {
    if (std::ranges::find(kOptions, key) == std::end(kOptions)) return failf(Errc::invalid_argument, "create {}: invalid option: \"{}\"", volume.name, key);
    if (key == "size") return failf(Errc::unsupported, "create {}: option size needs a quota, which mica does not set", volume.name);
    has_type = has_type || key == "type";
    has_device = has_device || key == "device";
    has_o = has_o || key == "o";
  }
  if (has_type && !has_device) return failf(Errc::invalid_argument, "create {}: missing required option: \"device\"", volume.name);
  if (has_device && !has_type) return failf(Errc::invalid_argument, "create {}: missing required option: \"type\"", volume.name);
  if (has_o && !has_device) return failf(Errc::invalid_argument, "create {}: missing required option: \"device\"", volume.name);
  return {};
}

json::Value pairs_or_null(container::Pairs pairs) {
  if (pairs.empty()) return {};
  std::ranges::sort(pairs);
  json::Object out;
  for (auto& [key, value] : pairs) out.emplace_back(key, value);
  return out;
}

void record(Engine& engine, const char* action, const container::VolumeRow& volume) {
  container::record_event(engine.root(), {.type = "volume", .action = action, .id = volume.name, .attributes = {{"driver", volume.driver}}, .time = {}});
}

}  // namespace

std::string volume_folder(Engine& engine, const std::string& name) { return format("{}/{}/_data", engine.folder(kVolumesFolder), name); }

Result<container::VolumeRow> make_volume(Engine& engine, container::VolumeRow wanted) {
  container::VolumeTable table(engine.database());
  if (wanted.driver.empty()) wanted.driver = "local";
  if (wanted.driver != "local") return fail(Error(Errc::unsupported, format("create {}: error looking up volume plugin {}: plugin \"{}\" not found", wanted.name, wanted.driver, wanted.driver)).with_hint("the only volume driver is local"));
  if (wanted.name.empty()) {
    wanted.name = random_hex(kNameBytes);
    wanted.anonymous = true;
    wanted.labels.emplace_back("com.docker.volume.anonymous", "");
  }
  if (!is_valid_name(wanted.name))
    return failf(Errc::invalid_argument, "create {}: \"{}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path",
                 wanted.name, wanted.name);
  TRY(check_options(wanted));
  for (int tries = 0;; ++tries) {
    if (auto there = TRY(table.find(wanted.name))) {
      if (!wanted.options.empty() && there->options != wanted.options)
        return failf(Errc::conflict, "a volume named {} is there already with other options", wanted.name);
      return std::move(*there);
    }
    TRY(sys::make_directories(engine.folder(kVolumesFolder), 0711));
    TRY(sys::make_directories(engine.folder(kVolumesFolder) + "/" + wanted.name, 0711));
    TRY(sys::make_directories(volume_folder(engine, wanted.name), 0755));
    wanted.created = now();
    auto inserted = table.insert(wanted);
    if (inserted) break;
    // Somebody else made it at the same moment.
    if (inserted.error().code() != Errc::conflict || tries > 0) return fail(std::move(inserted).error());
  }
  record(engine, "create", wanted);
  return wanted;
}

Result<> remove_volume(Engine& engine, const std::string& name) {
  container::VolumeTable table(engine.database());
  const auto volume = TRY(table.find(name));
  if (!volume) return failf(Errc::not_found, "get {}: no such volume", name);
  const auto users = TRY(table.users(name));
  if (!users.empty()) return failf(Errc::conflict, "remove {}: volume is in use - [{}]", name, join(users, ", "));
  TRY(table.remove(name));
  TRY_DOING(sys::remove_tree(engine.folder(kVolumesFolder) + "/" + name), format("removing volume {}", name));
  record(engine, "destroy", *volume);
  return {};
}

Result<json::Value> inspect_volume(Engine& engine, const std::string& name) {
  const auto volume = TRY(container::VolumeTable(engine.database()).find(name));
  if (!volume) return failf(Errc::not_found, "get {}: no such volume", name);
  return json::Object{{"CreatedAt", rfc3339(Timestamp::from_seconds(volume->created.seconds()))},
                      {"Driver", volume->driver},
                      {"Labels", pairs_or_null(volume->labels)},
                      {"Mountpoint", volume_folder(engine, name)},
                      {"Name", name},
                      {"Options", pairs_or_null(volume->options)},
                      {"Scope", "local"}};
}

Result<std::vector<container::VolumeRow>> list_volumes(Engine& engine, const std::vector<std::string>& texts) {
  const auto filters = TRY(parse_filters(texts, kListFilters));
  const auto dangling = TRY(boolean_of(filters, "dangling"));
  container::VolumeTable table(engine.database());
  auto rows = TRY(table.list());
  std::vector<container::VolumeRow> out;
  const auto any = [&](const char* key, const auto& matches) {
    const auto found = filters.find(key);
    return found == filters.end() || std::ranges::any_of(found->second, matches);
  };
  for (auto& row : rows) {
    if (!any("driver", [&](const auto& value) { return value == row.driver; }) || !any("name", [&](const auto& value) { return row.name.find(value) != row.name.npos; }) || !labels_match(filters, row.labels)) continue;
    if (dangling) {
      const auto users = TRY(table.users(row.name));
      if (users.empty() != *dangling) continue;
    }
    out.push_back(std::move(row));
  }
  return out;
}

Result<PrunedVolumes> prune_volumes(Engine& engine, const PruneVolumes& request) {
  const auto filters = TRY(parse_filters(request.filters, kPruneFilters));
  const bool all = request.all || TRY(boolean_of(filters, "all")).value_or(false);
  container::VolumeTable table(engine.database());
  const auto rows = TRY(table.list());
  PrunedVolumes out;
  for (const auto& row : rows) {
    if ((!all && !row.anonymous) || !labels_match(filters, row.labels)) continue;
    const auto users = TRY(table.users(row.name));
    if (!users.empty()) continue;
    const std::int64_t bytes = volume_bytes(engine, row.name);
    // A container may have taken it just now.
    if (!remove_volume(engine, row.name)) continue;
    out.bytes += bytes;
    out.names.push_back(row.name);
  }
  return out;
}

std::int64_t volume_bytes(Engine& engine, const std::string& name) { return folder_bytes(volume_folder(engine, name)); }

}  // namespace mica::engine
