#include "compose/state.h"

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "compose/service_container.h"

namespace mica::compose {

std::string label(const container::Row& row, std::string_view key) {
  for (const auto& [name, value] : row.labels)
    if (name == key) return value;
  return {};
}

Result<std::vector<ProjectContainer>> project_containers(engine::Engine& engine, const std::string& project) {
  auto rows = TRY(engine::list_containers(engine, true));
  std::vector<ProjectContainer> out;
  for (auto& row : rows) {
    if (label(row, kProjectLabel) != project) continue;
    ProjectContainer one{.service = label(row, kServiceLabel), .number = static_cast<int>(parse_int(label(row, kNumberLabel)).value_or(1)), .one_off = label(row, kOneOffLabel) == "True", .hash = label(row, kHashLabel),
                         .image = label(row, kImageLabel)};
    one.row = std::move(row);
    out.push_back(std::move(one));
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return std::pair(a.service, a.number) < std::pair(b.service, b.number); });
  return out;
}

Result<Project> project_from_containers(engine::Engine& engine, const std::string& name) {
  const auto containers = TRY(project_containers(engine, name));
  Project project{.name = name};
  json::Value services = json::Object{};
  for (const auto& one : containers) {
    if (one.one_off || services.find(one.service)) continue;
    json::Value service = json::Object{{"image", one.row.image}};
    json::Value needs = json::Object{};
    const std::string depends = label(one.row, kDependsLabel);
    if (!depends.empty())
      for (const auto part : split(depends, ',')) {
        const auto fields = split(part, ':');
        needs.set(fields[0], json::Object{{"condition", std::string(fields.size() > 1 ? fields[1] : "service_started")}, {"required", true}});
      }
    if (!needs.as_object().empty()) service.set("depends_on", std::move(needs));
    services.set(one.service, std::move(service));
    project.folder = label(one.row, kFolderLabel);
    project.files.clear();
    for (const auto file : split(label(one.row, kFilesLabel), ',')) project.files.emplace_back(file);
  }
  project.model = json::Object{{"name", name}, {"services", std::move(services)}};
  return project;
}

Result<std::vector<RunningProject>> list_projects(engine::Engine& engine, bool all) {
  const auto rows = TRY(engine::list_containers(engine));
  std::map<std::string, RunningProject> projects;
  std::map<std::string, std::map<std::string, int>> states;
  for (const auto& row : rows) {
    const std::string name = label(row, kProjectLabel);
    if (name.empty() || label(row, kOneOffLabel) == "True") continue;
    auto& project = projects[name];
    project.name = name;
    if (project.files.empty()) project.files = label(row, kFilesLabel);
    ++states[name][std::string(word(row.state.status))];
  }
  std::vector<RunningProject> out;
  for (auto& [name, project] : projects) {
    bool runs = false;
    for (const auto& [state, count] : states[name]) {
      project.status += format("{}{}({})", project.status.empty() ? "" : ", ", state, count);
      runs = runs || state != "exited";
    }
    if (runs || all) out.push_back(std::move(project));
  }
  return out;
}

std::string short_name(const ProjectContainer& container, const std::string& project) {
  const std::string prefix = project + "-";
  return container.row.name.starts_with(prefix) ? container.row.name.substr(prefix.size()) : container.row.name;
}

}  // namespace mica::compose
