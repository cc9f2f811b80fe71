#include "engine/change_container.h"

#include "base/format.h"
#include "container/process_spec.h"
#include "engine/container_names.h"
#include "engine/containers.h"

namespace mica::engine {
namespace {

/// LinuxResources of the runtime specification, as `runc update` reads them: 0 where nothing changes.
json::Value resources_json(const runtime::Resources& resources) {
  json::Object memory, cpu, pids, block;
  const auto put = [](json::Object& to, const char* name, const auto& value) {
    if (value) to.emplace_back(name, static_cast<std::int64_t>(*value));
  };
  put(memory, "limit", resources.memory);
  put(memory, "reservation", resources.memory_reservation);
  put(memory, "swap", resources.memory_swap);
  put(cpu, "shares", resources.cpu_shares);
  put(cpu, "quota", resources.cpu_quota);
  put(cpu, "period", resources.cpu_period);
  put(cpu, "realtimeRuntime", resources.cpu_rt_runtime);
  put(cpu, "realtimePeriod", resources.cpu_rt_period);
  if (!resources.cpuset_cpus.empty()) cpu.emplace_back("cpus", resources.cpuset_cpus);
  if (!resources.cpuset_mems.empty()) cpu.emplace_back("mems", resources.cpuset_mems);
  put(pids, "limit", resources.pids);
  put(block, "weight", resources.blkio_weight);
  json::Object out;
  for (auto& [name, group] : {std::pair{"memory", &memory}, std::pair{"cpu", &cpu}, std::pair{"pids", &pids}, std::pair{"blockIO", &block}})
    if (!group->empty()) out.emplace_back(name, std::move(*group));
  return out;
}

}  // namespace

Result<> rename_container(Engine& engine, std::string_view name, std::string new_name) {
  auto row = TRY(find_container(engine, name));
  if (new_name.starts_with('/')) new_name.erase(0, 1);
  if (new_name.empty()) return fail(Errc::invalid_argument, "Neither old nor new names may be empty");
  TRY(check_container_name(new_name));
  if (new_name == row.name) return fail(Errc::invalid_argument, "Renaming a container with the same name as its current name");
  TRY(container::ContainerTable(engine.database()).rename(row.id, new_name));
  const std::string old_name = row.name;
  row.name = new_name;
  // Others find it by its new name from now on.
  if (is_running(row)) (void)ask_monitor(engine, row.id, json::Object{{"rename", json::Object{{"name", new_name}}}});
  container::record_event(engine.root(), container_event(row, "rename", {{"oldName", "/" + old_name}}));
  return {};
}

Result<> update_container(Engine& engine, std::string_view name, const std::function<Result<>(container::Definition&)>& change) {
  const auto row = TRY(find_container(engine, name));
  auto definition = TRY(container::from_document(row.definition));
  const auto before = definition.limits;
  TRY(change(definition));
  if (definition.auto_remove && definition.restart.name != "no") return fail(Errc::invalid_argument, "Restart policy cannot be updated because AutoRemove is enabled for the container");
  if (is_running(row) && definition.limits != before) {
    auto* runtime = TRY(engine.runtime());
    if (!runtime->can_limit()) return fail(Error(Errc::unsupported, format("container {} cannot be limited while it runs: there are no control groups that mica may write", row.name)));
    const auto resources = resources_json(container::resources_of(definition.limits));
    if (!resources.as_object().empty()) TRY_DOING(runtime->control(container_place(engine, row.id, definition), {"update", "--resources", "-"}, json::write(resources)), format("Cannot update container {}", row.id));
  }
  TRY(container::ContainerTable(engine.database()).set_definition(row.id, container::to_document(definition)));
  container::record_event(engine.root(), container_event(row, "update"));
  return {};
}

}  // namespace mica::engine
