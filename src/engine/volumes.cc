#include "engine/volumes.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/events.h"
#include "engine/layout.h"

namespace mica::engine {
namespace {

constexpr int kNameBytes = 32;

void record(Engine& engine, const char* action, const container::VolumeRow& volume) {
  container::record_event(engine.root(), {.type = "volume", .action = action, .id = volume.name, .attributes = {{"driver", volume.driver}}, .time = {}});
}

}  // namespace

std::string volume_folder(Engine& engine, const std::string& name) { return format("{}/{}/_data", engine.folder(kVolumesFolder), name); }

Result<container::VolumeRow> make_volume(Engine& engine, container::VolumeRow wanted) {
  container::VolumeTable table(engine.database());
  if (wanted.driver.empty()) wanted.driver = "local";
  if (wanted.driver != "local") return fail(Error(Errc::unsupported, format("error looking up volume plugin {}: plugin \"{}\" not found", wanted.driver, wanted.driver)).with_hint("the only volume driver is local"));
  if (wanted.name.empty()) {
    wanted.name = random_hex(kNameBytes);
    wanted.anonymous = true;
  }
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

}  // namespace mica::engine
