#include "compose/normalize.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "sys/fd.h"

namespace mica::compose {

namespace {

using json::Object;
using json::Value;

constexpr std::size_t kMaxFileBytes = 4 << 20;
constexpr std::string_view kOfService = "service:";

void depend(Value& service, std::string_view other, bool restart) {
  auto* needs = service.find("depends_on");
  if (needs && needs->find(other)) return;
  if (!needs) needs = &service.set("depends_on", Object{});
  Value how(Object{{"condition", "service_started"}});
  if (restart) how.set("restart", true);
  how.set("required", true);
  needs->set(other, std::move(how));
}

void sort_members(Value* value) {
  if (value && value->is_object()) std::ranges::sort(value->as_object(), {}, [](const auto& one) { return one.first; });
}

Value with_name(Value value, const std::string& name, bool name_first_of_external) {
  (void)name_first_of_external;
  if (value.is_null()) value = Object{};
  if (value.string_or("name").empty()) {
    value.erase("name");
    value.as_object().insert(value.as_object().begin(), {"name", name});
  }
  return value;
}

void keep_used(Value& model, const char* kind, const std::set<std::string>& used) {
  auto* all = model.find(kind);
  if (!all || !all->is_object()) return;
  std::erase_if(all->as_object(), [&](const auto& one) { return !used.contains(one.first); });
  if (all->as_object().empty()) model.erase(kind);
}

}  // namespace

void imply_dependencies(Value& model) {
  auto* services = model.find("services");
  if (!services || !services->is_object()) return;
  for (auto& [name, service] : services->as_object()) {
    if (!service.is_object()) continue;
    for (const char* member : {"network_mode", "ipc", "pid", "uts", "cgroup"})
      if (const std::string mode = service.string_or(member); mode.starts_with(kOfService)) depend(service, mode.substr(kOfService.size()), true);
    for (const auto& link : service.strings("links")) depend(service, link.substr(0, link.find(':')), true);
    for (const auto& from : service.strings("volumes_from"))
      if (!from.starts_with("container:")) depend(service, from.substr(0, from.find(':')), false);
  }
}

Result<> resolve_environment(Project& project, const engine::ComposeVariables& variables) {
  auto* services = project.model.find("services");
  if (!services) return {};
  for (auto& [name, service] : services->as_object()) {
    std::map<std::string, Value> environment;
    if (const auto* files = service.find("env_file"); files && files->is_array()) {
      for (const auto& file : files->as_array()) {
        const std::string path = file.string_or("path");
        const auto text = sys::read_file(path, kMaxFileBytes);
        if (!text) {
          if (!file.bool_or("required", true) && text.error().code() == Errc::not_found) continue;
          return fail(Error(Errc::not_found, format("env file {} not found: stat {}: no such file or directory", path, path)));
        }
        if (file.string_or("format") == "raw") {
          for (const auto line : split(*text, '\n'))
            if (const auto parts = split_once(line, '='); parts && !line.starts_with('#')) environment[std::string(trim(parts->first))] = std::string(parts->second);
          continue;
        }
        engine::ComposeVariables own = variables;
        engine::ComposeVariables fresh = engine::ComposeVariables::of_environment();
        for (const auto& [key, value] : variables.values()) fresh.set(key, value);
        const auto before = fresh.values();
        TRY(fresh.add_file(path, *text));
        // What the file itself says, also where it repeats what was known.
        engine::ComposeVariables only{std::map<std::string, std::string>(before.begin(), before.end())};
        for (const auto& [key, value] : fresh.values())
          if (!before.contains(key) || before.at(key) != value || text->find(key + "=") != text->npos) environment[key] = value;
        for (const auto& key : fresh.bare())
          if (const auto value = variables.value(key)) environment[key] = *value;
      }
      service.erase("env_file");
    }
    if (const auto* own = service.find("environment"); own && own->is_object())
      for (const auto& [key, value] : own->as_object()) {
        if (!value.is_null()) environment[key] = value;
        else if (const auto outside = variables.value(key)) environment[key] = *outside;
        else environment[key] = Value();
      }
    if (!environment.empty()) {
      Object members;
      for (auto& [key, value] : environment) members.emplace_back(key, std::move(value));
      service.set("environment", std::move(members));
    }
    if (const auto* files = service.find("label_file"); files && files->is_array()) {
      Value labels = Object{};
      for (const auto& file : files->as_array()) {
        const auto text = TRY_DOING(sys::read_file(scalar_text(file), kMaxFileBytes), format("reading {}", scalar_text(file)));
        engine::ComposeVariables only{std::map<std::string, std::string>()};
        TRY(only.add_file(scalar_text(file), text));
        for (const auto& [key, value] : only.values()) labels.set(key, value);
      }
      if (const auto* own = service.find("labels"); own && own->is_object())
        for (const auto& [key, value] : own->as_object()) labels.set(key, value);
      service.set("labels", std::move(labels));
      service.erase("label_file");
    }
    if (auto* build = service.find("build"); build && build->is_object())
      if (auto* args = build->find("args"); args && args->is_object())
        for (auto& [key, value] : args->as_object())
          if (value.is_null())
            if (const auto outside = variables.value(key)) value = *outside;
    if (auto* build = service.find("build"); build && build->is_object())
      if (auto* args = build->find("args"); args && args->is_object()) std::erase_if(args->as_object(), [](const auto& one) { return one.second.is_null(); });
  }
  return {};
}

void normalize(Project& project) {
  auto* services = project.model.find("services");
  if (!services) return;
  std::set<std::string> networks, volumes, secrets, configs;
  for (auto& [name, service] : services->as_object()) {
    if (service.string_or("network_mode").empty() && !service.find("provider")) {
      auto* joined = service.find("networks");
      if (!joined || joined->is_null() || (joined->is_object() && joined->as_object().empty())) service.set("networks", Object{{"default", Value()}});
    }
    if (const auto* joined = service.find("networks"); joined && joined->is_object())
      for (const auto& [network, how] : joined->as_object()) networks.insert(network);
    if (const auto* mounts = service.find("volumes"); mounts && mounts->is_array())
      for (const auto& mount : mounts->as_array())
        if (mount.string_or("type") == "volume") volumes.insert(mount.string_or("source"));
    for (const auto& [member, used] : {std::pair{"secrets", &secrets}, std::pair{"configs", &configs}})
      if (auto* list = service.find(member); list && list->is_array())
        for (auto& item : list->as_array()) {
          used->insert(item.string_or("source"));
          if (std::string_view(member) == "secrets") {
            const std::string target = item.string_or("target", item.string_or("source"));
            if (!item.find("target")) item.set("target", "/run/secrets/" + target);
          }
        }
    if (const auto* build = service.find("build"); build && build->find("secrets") && build->find("secrets")->is_array())
      for (const auto& item : build->find("secrets")->as_array()) secrets.insert(item.string_or("source"));
  }
  if (networks.contains("default")) {
    auto* all = project.model.find("networks");
    if (!all) all = &project.model.set("networks", Object{});
    if (!all->find("default")) all->set("default", Value());
  }
  for (const auto& [kind, used] : {std::pair{"networks", &networks}, std::pair{"volumes", &volumes}, std::pair{"secrets", &secrets}, std::pair{"configs", &configs}}) {
    keep_used(project.model, kind, *used);
    auto* all = project.model.find(kind);
    if (!all || !all->is_object()) continue;
    for (auto& [name, value] : all->as_object()) {
      const bool external = value.bool_or("external");
      value = with_name(std::move(value), external ? name : project.name + "_" + name, external);
    }
  }
}

Value in_order_of_files(const Project& project) {
  Value out(Object{{"name", project.name}});
  Value body = in_order(kProject, project.model);
  for (auto& [name, value] : body.as_object())
    if (name != "name") out.set(name, value);
  for (const char* kind : {"services", "networks", "volumes", "secrets", "configs"}) sort_members(out.find(kind));
  if (auto* services = out.find("services"))
    for (auto& [name, service] : services->as_object())
      for (const char* member : {"environment", "labels", "depends_on", "networks", "annotations", "sysctls", "ulimits"}) sort_members(service.find(member));
  return out;
}

}  // namespace mica::compose
