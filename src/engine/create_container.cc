#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/events.h"
#include "container/monitor_protocol.h"
#include "engine/container_mounts.h"
#include "engine/container_names.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/layout.h"
#include "snapshot/container_root.h"

namespace mica::engine {
namespace {

using container::Definition;

constexpr std::size_t kShortDigits = 12;

Result<store::ImageRow> image_for(Engine& engine, const CreateContainer& request) {
  const std::string& image = request.definition.image;
  if (request.pull == "always" && request.fetch) TRY(request.fetch(image, request.platform));
  auto found = engine.images().resolve(image);
  if (!found && found.error().code() == Errc::not_found && request.pull == "missing" && request.fetch) {
    TRY(request.fetch(image, request.platform));
    found = engine.images().resolve(image);
  }
  if (!found && found.error().code() == Errc::not_found && found.error().hint().empty())
    return fail(std::move(found).error().with_hint("'mica images' lists what is here; build, load, pull or import it first"));
  return found;
}

std::string host_name() {
  char buffer[256] = {};
  ::gethostname(buffer, sizeof buffer - 1);
  return buffer;
}

/// What dockerd fills in, so that `inspect` shows it.
void fill_defaults(Engine& engine, const std::string& id, Definition& definition) {
  if (definition.hostname.empty()) {
    const bool of_machine = definition.network_mode == "host" || definition.uts_mode == "host";
    definition.hostname = of_machine ? host_name() : definition.network_mode.starts_with("container:") ? "" : id.substr(0, kShortDigits);
  }
  container::Limits& limits = definition.limits;
  if (limits.memory > 0 && limits.memory_swap == 0) limits.memory_swap = limits.memory * 2;
  if (definition.ipc_mode.empty()) definition.ipc_mode = "private";
  auto runtime = engine.runtime();
  const bool v2 = runtime && (*runtime)->cgroups().layout == runtime::CgroupLayout::v2;
  if (definition.cgroupns_mode.empty()) definition.cgroupns_mode = v2 && !definition.privileged ? "private" : "host";
}

/// Names of other containers become ids: those do not change.
Result<> resolve_namespaces(Engine& engine, Definition& definition) {
  constexpr std::string_view kContainer = "container:";
  for (std::string* mode : {&definition.network_mode, &definition.ipc_mode, &definition.pid_mode}) {
    if (!mode->starts_with(kContainer)) continue;
    const auto other = TRY(find_container(engine, mode->substr(kContainer.size())));
    *mode = std::string(kContainer) + other.id;
  }
  return {};
}

std::string command_text(const Definition& definition) {
  std::vector<std::string> words;
  if (definition.entrypoint) words = *definition.entrypoint;
  if (definition.cmd) words.insert(words.end(), definition.cmd->begin(), definition.cmd->end());
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i].find(' ') != std::string::npos) words[i] = "'" + words[i] + "'";
  return join(words, " ");
}

/// Without control groups that may be written (an ordinary user's), limits are only words.
void warn_of_limits(Engine& engine, const container::Limits& limits, const std::function<void(std::string_view)>& warn) {
  const auto runtime = engine.runtime();
  if (!runtime || (*runtime)->can_limit()) return;
  const std::pair<bool, const char*> all[] = {{limits.memory != 0, "--memory"}, {limits.memory_reservation != 0, "--memory-reservation"}, {limits.memory_swap != 0, "--memory-swap"},
                                              {limits.nano_cpus != 0 || limits.cpu_quota != 0 || limits.cpu_period != 0, "a limit of CPU time"}, {limits.cpu_shares != 0, "--cpu-shares"},
                                              {!limits.cpuset_cpus.empty(), "--cpuset-cpus"}, {!limits.cpuset_mems.empty(), "--cpuset-mems"}, {limits.pids.has_value(), "--pids-limit"}};
  for (const auto& [given, name] : all)
    if (given) warn(format("{} has no effect: there are no control groups that may be written", name));
}

Result<container::Row> insert_row(Engine& engine, container::Row row, const std::string& wanted_name) {
  container::ContainerTable table(engine.database());
  if (!wanted_name.empty()) {
    row.name = wanted_name;
    TRY(table.insert(row));
    return row;
  }
  constexpr int kTries = 20;
  for (int i = 0;; ++i) {
    row.name = random_container_name(i);
    auto inserted = table.insert(row);
    if (inserted) return row;
    if (inserted.error().code() != Errc::conflict || i == kTries) return fail(std::move(inserted).error());
  }
}

Result<> make_files(Engine& engine, const container::Row& row, const std::string& folder, const task::Cancel& cancel) {
  auto* snapshotter = TRY(engine.snapshotter());
  return snapshot::make_container_root(engine.layers(), row.layers, folder, snapshotter->name() == "copy", engine.pool(), cancel);
}

}  // namespace

Result<std::string> create_container(Engine& engine, CreateContainer request, const task::Cancel& cancel) {
  if (!request.name.empty()) TRY(check_container_name(request.name));
  const store::ImageRow image = TRY(image_for(engine, request));
  if (!image.layers.empty()) TRY(engine.workspace().lease(engine.database(), image.layers));
  const auto config = TRY(read_config(engine, image.id));
  Definition& definition = request.definition;
  TRY(container::complete(definition, config));
  TRY(resolve_namespaces(engine, definition));

  if (request.warn) warn_of_limits(engine, definition.limits, request.warn);

  container::Row row{.id = random_hex(32), .image_id = image.id.digest.str(), .image = definition.image, .command = command_text(definition), .layers = image.layers, .created = now()};
  fill_defaults(engine, row.id, definition);
  const std::string folder = container_folder(engine, row.id);
  TRY(sys::make_directories(folder, 0711));
  // Held until the row is there: a folder without one is what a crash left, unless somebody holds this.
  const auto lock = TRY(sys::FileLock::acquire(folder + "/" + container::kMonitorLock, sys::LockMode::exclusive));
  auto give_up = [&](Error error) {
    (void)release_mounts(engine, row.id, true);
    (void)sys::remove_tree(folder);
    return fail(std::move(error));
  };
  if (auto made = make_files(engine, row, folder, cancel); !made) return give_up(std::move(made).error());
  if (auto resolved = resolve_mounts(engine, row.id, definition, cancel); !resolved) return give_up(std::move(resolved).error());
  row.labels = definition.labels;
  row.definition = container::to_document(definition);
  auto inserted = insert_row(engine, row, request.name);
  if (!inserted) return give_up(std::move(inserted).error());
  container::record_event(engine.root(), container_event(*inserted, "create"));
  return row.id;
}

}  // namespace mica::engine
