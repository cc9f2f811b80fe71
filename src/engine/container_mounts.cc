#include "engine/container_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/container_table.h"
#include "container/definition_names.h"
#include "engine/containers.h"
#include "engine/fill_volume.h"
#include "engine/volumes.h"

namespace mica::engine {
namespace {

using container::Definition;
using container::MountPoint;
using container::MountRequest;
using Type = MountRequest::Type;

std::string options_text(const MountRequest& request) {
  const auto parts = split(request.text, ':');
  return parts.size() == 3 ? std::string(parts[2]) : "";
}

Result<MountPoint> resolve_volume(Engine& engine, const MountRequest& request) {
  container::VolumeRow wanted{.name = request.source, .driver = request.driver, .options = request.driver_options, .labels = request.labels, .created = {}};
  const auto volume = TRY(make_volume(engine, std::move(wanted)));
  const std::string mode = options_text(request);
  return MountPoint{.type = Type::volume, .name = volume.name, .source = volume_folder(engine, volume.name), .target = request.target, .driver = volume.driver,
                    .mode = request.text.empty() || request.source.empty() ? "" : mode.empty() ? "z" : mode, .read_write = !request.read_only, .request = request};
}

Result<MountPoint> resolve_bind(const MountRequest& request) {
  if (!sys::exists(request.source)) {
    if (!request.create_source) return failf(Errc::invalid_argument, "invalid mount config for type \"bind\": bind source path does not exist: {}", request.source);
    TRY_DOING(sys::make_directories(request.source), format("error while creating mount source path '{}'", request.source));
  }
  return MountPoint{.type = Type::bind, .name = {}, .source = request.source, .target = request.target, .driver = {}, .mode = options_text(request),
                    .propagation = request.propagation.empty() ? "rprivate" : request.propagation, .read_write = !request.read_only, .request = request};
}

Result<MountPoint> resolve(Engine& engine, const MountRequest& request) {
  switch (request.type) {
    case Type::volume: return resolve_volume(engine, request);
    case Type::bind: return resolve_bind(request);
    case Type::tmpfs: break;
    case Type::image: return fail(Error(Errc::unsupported, format("--mount type=image for {}: not supported yet", request.target)).with_hint("copy the files with COPY --from or mica cp"));
  }
  return MountPoint{.type = Type::tmpfs, .name = {}, .source = {}, .target = request.target, .driver = {}, .mode = {}, .propagation = {}, .read_write = !request.read_only, .request = request};
}

/// Those of another container, which may be stopped: its volumes and binds, not its tmpfs.
Result<std::vector<MountPoint>> points_of(Engine& engine, const std::string& text) {
  const auto parts = split_once(text, ':');
  const std::string mode(parts ? parts->second : "");
  if (!mode.empty() && mode != "ro" && mode != "rw" && mode != "z" && mode != "Z") return failf(Errc::invalid_argument, "invalid mode: {}", mode);
  const auto row = TRY(find_container(engine, parts ? parts->first : std::string_view(text)));
  const auto definition = TRY(container::from_document(row.definition));
  std::vector<MountPoint> points;
  for (MountPoint point : definition.mount_points) {
    if (point.type == Type::tmpfs) continue;
    if (mode == "ro") {
      point.read_write = false;
      point.request.read_only = true;
    }
    points.push_back(std::move(point));
  }
  return points;
}

int depth(const std::string& path) { return static_cast<int>(std::count(path.begin(), path.end(), '/')); }

/// What is said later and more plainly wins: --volumes-from, then the image's volumes, then the user's own.
void put(std::vector<MountPoint>& points, MountPoint point) {
  std::erase_if(points, [&](const auto& known) { return known.target == point.target; });
  points.push_back(std::move(point));
}

bool has_target(const std::vector<MountPoint>& points, const std::string& target) {
  return std::any_of(points.begin(), points.end(), [&](const auto& point) { return point.target == target; });
}

Result<> check_duplicates(const Definition& definition) {
  for (std::size_t i = 0; i < definition.mounts.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (definition.mounts[i].target == definition.mounts[j].target) return failf(Errc::invalid_argument, "Duplicate mount point: {}", definition.mounts[i].target);
  return {};
}

runtime::BindMount bind_mount(const MountPoint& point, std::string source) {
  return {.source = std::move(source), .destination = point.target, .read_only = !point.read_write, .recursive = point.request.recursive,
          .propagation = point.propagation.empty() ? "rprivate" : point.propagation};
}

runtime::BindMount tmpfs_mount(const MountPoint& point) {
  runtime::BindMount mount{.source = "tmpfs", .destination = point.target, .read_only = !point.read_write, .type = "tmpfs"};
  mount.options = {"noexec", "nosuid", "nodev"};
  for (const std::string& option : point.request.tmpfs_options) {
    if (option == "exec") std::erase(mount.options, "noexec");
    else if (option == "suid") std::erase(mount.options, "nosuid");
    else if (option == "dev") std::erase(mount.options, "nodev");
    else if (option == "ro") mount.read_only = true;
    else if (option != "rw") mount.options.push_back(option);
  }
  if (point.request.tmpfs_bytes) mount.options.push_back(format("size={}", point.request.tmpfs_bytes));
  if (point.request.tmpfs_mode) mount.options.push_back(format("mode={:o}", *point.request.tmpfs_mode));
  return mount;
}

/// A volume that was made with options of mount(8): -o type=tmpfs -o device=... -o o=...
Result<std::optional<runtime::BindMount>> volume_with_options(Engine& engine, const MountPoint& point) {
  const auto volume = TRY(container::VolumeTable(engine.database()).find(point.name));
  if (!volume || volume->options.empty()) return std::nullopt;
  std::string type, device, options;
  for (const auto& [key, value] : volume->options) (key == "type" ? type : key == "device" ? device : options) = value;
  const auto words = options.empty() ? std::vector<std::string_view>() : split(options, ',');
  const bool bind = type == "none" || type.empty() || std::find(words.begin(), words.end(), "bind") != words.end();
  if (bind) {
    if (!sys::exists(device)) return failf(Errc::not_found, "failed to mount local volume: mount {}:{}: no such file or directory", device, point.source);
    return bind_mount(point, device);
  }
  runtime::BindMount mount{.source = device.empty() ? type : device, .destination = point.target, .read_only = !point.read_write, .type = type};
  for (const auto word : words) mount.options.emplace_back(word);
  return std::optional(std::move(mount));
}

Result<runtime::BindMount> prepare_volume(Engine& engine, const MountPoint& point, const std::string& root, const task::Cancel& cancel) {
  if (!sys::exists(point.source))
    return fail(Error(Errc::not_found, format("the folder of volume {} is gone: {}", point.name, point.source)).with_hint(format("'mica volume rm {}' forgets the volume", point.name)));
  if (auto special = TRY(volume_with_options(engine, point))) return std::move(*special);
  if (!point.request.no_copy) TRY_DOING(fill_volume(engine, point.source, root, point.target, cancel), format("filling volume {} from the image", point.name));
  std::string source = point.source;
  if (!point.request.subpath.empty()) {
    const auto folder = TRY(sys::open(point.source, O_PATH | O_DIRECTORY));
    const auto below = sys::open_strict(folder, clean_path(point.request.subpath), O_PATH);
    if (!below) return failf(Errc::not_found, "cannot access path {} in volume {}", point.request.subpath, point.name);
    source = join_path(point.source, clean_path(point.request.subpath));
  }
  return bind_mount(point, std::move(source));
}

}  // namespace

Result<> resolve_mounts(Engine& engine, const std::string& id, Definition& definition, const task::Cancel&) {
  TRY(check_duplicates(definition));
  std::vector<MountPoint> points;
  for (const auto& from : definition.volumes_from) {
    auto others = TRY(points_of(engine, from));
    for (auto& point : others) put(points, std::move(point));
  }
  for (const auto& request : definition.mounts) {
    auto point = TRY(resolve(engine, request));
    put(points, std::move(point));
  }
  for (const auto& target : definition.volumes) {
    if (has_target(points, clean_path(target))) continue;
    auto point = TRY(resolve_volume(engine, {.type = Type::volume, .target = clean_path(target)}));
    put(points, std::move(point));
  }
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return depth(a.target) < depth(b.target); });
  definition.mount_points = std::move(points);
  std::vector<std::string> used;
  for (const auto& point : definition.mount_points)
    if (point.type == Type::volume) used.push_back(point.name);
  return container::VolumeTable(engine.database()).set_uses(id, used);
}

Result<std::vector<runtime::BindMount>> prepare_mounts(Engine& engine, const std::string&, const Definition& definition, const std::string& root, const task::Cancel& cancel) {
  std::vector<runtime::BindMount> mounts;
  for (const auto& point : definition.mount_points) {
    if (point.type == Type::tmpfs) {
      mounts.push_back(tmpfs_mount(point));
    } else if (point.type == Type::volume) {
      auto mount = TRY(prepare_volume(engine, point, root, cancel));
      mounts.push_back(std::move(mount));
    } else {
      const auto again = TRY(resolve_bind(point.request));
      mounts.push_back(bind_mount(point, again.source));
    }
  }
  return mounts;
}

Result<> release_mounts(Engine& engine, const std::string& id, bool anonymous) {
  container::VolumeTable table(engine.database());
  const auto volumes = TRY(table.used_by(id));
  TRY(table.set_uses(id, {}));
  if (!anonymous) return {};
  for (const auto& name : volumes) {
    const auto volume = TRY(table.find(name));
    const auto users = TRY(table.users(name));
    if (volume && volume->anonymous && users.empty()) TRY(remove_volume(engine, name));
  }
  return {};
}

}  // namespace mica::engine
