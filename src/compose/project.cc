#include "compose/project.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "compose/load.h"
#include "compose/merge.h"
#include "compose/normalize.h"
#include "sys/fd.h"

namespace mica::compose {

namespace {

using json::Object;
using json::Value;

constexpr std::size_t kMaxFileBytes = 4 << 20;
constexpr const char* kNames[] = {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr const char* kOverrides[] = {"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> here() {
  char buffer[4096];
  if (!::getcwd(buffer, sizeof buffer)) return fail_errno("asking for the working folder");
  return std::string(buffer);
}

Result<std::vector<std::string>> find_files(const std::string& from) {
  for (std::string folder = from;; folder = folder_of(folder)) {
    for (const char* name : kNames) {
      const std::string path = (folder == "/" ? "" : folder) + "/" + name;
      if (!sys::exists(path)) continue;
      std::vector<std::string> out{path};
      for (const char* over : kOverrides) {
        const std::string other = (folder == "/" ? "" : folder) + "/" + over;
        if (sys::exists(other)) {
          out.push_back(other);
          break;
        }
      }
      return out;
    }
    if (folder == "/") break;
  }
  return fail(Error(Errc::not_found, "no configuration file provided: not found").with_hint("write a compose.yaml here, or name a file with -f"));
}

/// Words of a variable such as COMPOSE_FILE.
std::vector<std::string> list_of(const engine::ComposeVariables& variables, const char* name, char separator) {
  std::vector<std::string> out;
  const auto text = variables.value(name);
  if (!text) return out;
  for (const auto part : split(*text, separator))
    if (!trim(part).empty()) out.emplace_back(trim(part));
  return out;
}

struct Found {
  std::vector<std::string> files;
  std::string folder;
  engine::ComposeVariables variables = engine::ComposeVariables::of_environment();
};

Result<> read_env(const ProjectRequest& request, const std::string& folder, const std::string& cwd, engine::ComposeVariables& variables) {
  if (request.env_files.empty()) {
    const std::string path = folder + "/.env";
    if (!sys::exists(path)) return {};
    const auto text = TRY_DOING(sys::read_file(path, kMaxFileBytes), format("reading {}", path));
    return variables.add_file(path, text);
  }
  for (const auto& file : request.env_files) {
    const std::string path = absolute(file, cwd);
    const auto text = sys::read_file(path, kMaxFileBytes);
    if (!text) return failf(Errc::not_found, "couldn't find env file: {}", path);
    TRY(variables.add_file(path, *text));
  }
  return {};
}

Result<Found> find_project(const ProjectRequest& request) {
  const std::string cwd = TRY(here());
  Found out;
  out.folder = request.folder.empty() ? "" : absolute(request.folder, cwd);
  // What .env says about the project itself must be known first.
  engine::ComposeVariables first = engine::ComposeVariables::of_environment();
  TRY(read_env(request, out.folder.empty() ? cwd : out.folder, cwd, first));
  std::vector<std::string> files = request.files;
  if (files.empty()) {
    const auto separator = first.value("COMPOSE_PATH_SEPARATOR");
    files = list_of(first, "COMPOSE_FILE", separator && separator->size() == 1 ? (*separator)[0] : ':');
  }
  if (files.empty()) out.files = TRY(find_files(out.folder.empty() ? cwd : out.folder));
  for (const auto& file : files) out.files.push_back(file == "-" ? file : absolute(file, cwd));
  if (out.folder.empty()) out.folder = out.files[0] == "-" ? cwd : folder_of(out.files[0]);
  TRY(read_env(request, out.folder, cwd, out.variables));
  return out;
}

/// Whether `profiles` of a service has an active one.
bool is_active(const Value& service, const std::vector<std::string>& active) {
  const auto profiles = service.strings("profiles");
  if (profiles.empty() || std::ranges::count(active, "*")) return true;
  return std::ranges::any_of(profiles, [&](const std::string& one) { return std::ranges::count(active, one) > 0; });
}

std::vector<std::pair<std::string, bool>> needs_of(const Value& service) {
  std::vector<std::pair<std::string, bool>> out;
  const auto* needs = service.find("depends_on");
  if (needs && needs->is_object())
    for (const auto& [name, how] : needs->as_object()) out.emplace_back(name, how.bool_or("required", true));
  return out;
}

void choose_services(const ProjectRequest& request, Project& project, std::vector<Problem>& problems) {
  Value all = project.model.find("services") ? *project.model.find("services") : Value(Object{});
  std::set<std::string> wanted;
  std::function<void(const std::string&)> want = [&](const std::string& name) {
    const auto* service = all.find(name);
    if (!service || !wanted.insert(name).second) return;
    if (request.without_dependencies) return;
    for (const auto& [other, required] : needs_of(*service))
      if (required || (all.find(other) && is_active(*all.find(other), project.profiles))) want(other);
  };
  for (const auto& name : request.services) {
    if (!all.find(name)) {
      std::vector<std::string_view> known;
      for (const auto& [other, value] : all.as_object()) known.push_back(other);
      Problem problem{"", 0, 0, "", format("no such service: {}", name), {}};
      if (const auto near = closest(name, known)) problem.hint = format("did you mean {}?", *near);
      problems.push_back(std::move(problem));
      continue;
    }
    want(name);
  }
  Object active, disabled;
  for (auto& [name, service] : all.as_object()) {
    const bool on = is_active(service, project.profiles) || wanted.contains(name);
    (on ? active : disabled).emplace_back(name, service);
  }
  project.model.set("services", std::move(active));
  project.disabled = std::move(disabled);
}

/// References to what is not there, and cycles.
void check_references(Project& project, std::vector<Problem>& problems) {
  const auto& services = project.services();
  const auto complain = [&](const std::string& where, std::string text) { problems.push_back({"", 0, 0, where, std::move(text), {}}); };
  for (const auto& [name, service] : services.as_object()) {
    const std::string where = "service " + quoted(name);
    if (service.string_or("image").empty() && !service.find("build") && !service.find("provider")) complain("", format("service {} has neither an image nor a build context specified", quoted(name)));
    for (const auto& [other, required] : needs_of(service))
      if (!services.find(other) && required) {
        if (project.disabled.find(other)) complain("", format("service {} is required by {} but is disabled. Can be enabled by profiles {}", other, name, json::write(json::from(project.disabled.find(other)->strings("profiles")))));
        else complain("", format("{} depends on undefined service {}", where, quoted(other)));
      }
    const auto refers = [&](const char* member, const char* kind, auto&& name_of) {
      const auto* list = service.find(member);
      if (!list || !list->is_array()) return;
      for (const auto& item : list->as_array()) {
        const std::string target = name_of(item);
        if (!target.empty() && (!project.model.find(kind) || !project.model.find(kind)->find(target)))
          complain("", format("{} refers to undefined {} {}", where, std::string(kind).substr(0, std::string_view(kind).size() - 1), target));
      }
    };
    refers("volumes", "volumes", [](const Value& mount) { return mount.string_or("type") == "volume" ? mount.string_or("source") : ""; });
    refers("secrets", "secrets", [](const Value& item) { return item.string_or("source"); });
    refers("configs", "configs", [](const Value& item) { return item.string_or("source"); });
    if (const auto* networks = service.find("networks"); networks && networks->is_object())
      for (const auto& [network, how] : networks->as_object())
        if (network != "default" && (!project.model.find("networks") || !project.model.find("networks")->find(network))) complain("", format("{} refers to undefined network {}", where, network));
    const std::string mode = service.string_or("network_mode");
    if (!mode.empty() && service.find("networks")) complain("", format("service {} declares mutually exclusive `network_mode` and `networks`: invalid compose project", name));
    if (mode.starts_with("service:") && !services.find(mode.substr(8))) complain("", format("{} depends on undefined service {}", where, quoted(mode.substr(8))));
  }
  // A walk in depth: what is on the way and comes again closes a circle.
  std::map<std::string, int> state;
  std::vector<std::string> way;
  std::function<bool(const std::string&)> visit = [&](const std::string& name) {
    if (state[name] == 2) return false;
    if (state[name] == 1) {
      const auto from = std::ranges::find(way, name);
      std::vector<std::string> circle(from, way.end());
      circle.push_back(name);
      complain("", "dependency cycle detected: " + join(circle, " -> "));
      return true;
    }
    state[name] = 1;
    way.push_back(name);
    if (const auto* service = services.find(name))
      for (const auto& [other, required] : needs_of(*service))
        if (visit(other)) return true;
    way.pop_back();
    state[name] = 2;
    return false;
  };
  for (const auto& [name, service] : services.as_object())
    if (visit(name)) break;
}

}  // namespace

const Value& Project::services() const {
  static const Value nothing = Value::object();
  const auto* found = model.find("services");
  return found ? *found : nothing;
}

const Value* Project::service(std::string_view name) const { return services().find(name); }

std::vector<std::string> Project::in_order() const {
  std::vector<std::string> out;
  std::set<std::string> seen;
  std::function<void(const std::string&)> visit = [&](const std::string& name) {
    const auto* found = service(name);
    if (!found || !seen.insert(name).second) return;
    for (const auto& [other, required] : needs_of(*found)) visit(other);
    out.push_back(name);
  };
  for (const auto& [name, value] : services().as_object()) visit(name);
  return out;
}

std::string normal_name(std::string_view name) {
  std::string out;
  for (const char c : to_lower(name))
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') out += c;
  const auto start = out.find_first_not_of("-_");
  return start == out.npos ? "" : out.substr(start);
}

Error problems_error(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& one : problems) {
    if (!text.empty()) text += "\n";
    if (!one.file.empty()) text += one.line ? format("{}:{}:{}: ", one.file, one.line, one.column) : one.file + ": ";
    if (!one.path.empty()) text += one.path + ": ";
    text += one.text;
    if (!one.hint.empty()) text += format(" ({})", one.hint);
  }
  return Error(Errc::invalid_argument, text);
}

Result<Project> load_project(const ProjectRequest& request) {
  auto found = TRY(find_project(request));
  Project project{.folder = found.folder, .files = found.files};
  project.profiles = request.profiles;
  if (project.profiles.empty()) project.profiles = list_of(found.variables, "COMPOSE_PROFILES", ',');

  // The name is a variable for the files, and may be in one of them.
  std::string name = request.name;
  if (name.empty()) name = found.variables.value("COMPOSE_PROJECT_NAME").value_or("");
  const bool given = !name.empty();
  if (given && normal_name(name) != name)
    return failf(Errc::invalid_argument, "invalid project name {}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number", quoted(name));
  if (!given) {
    for (const auto& path : project.files) {
      if (path == "-") continue;
      const auto text = sys::read_file(path, kMaxFileBytes);
      const auto value = text ? json::parse_yaml(*text) : Result<Value>(fail(Errc::not_found, ""));
      if (!value || value->string_or("name").empty()) continue;
      auto expanded = found.variables.expand(value->string_or("name"));
      if (expanded) name = *expanded;
    }
    if (!name.empty() && normal_name(name) != name)
      return failf(Errc::invalid_argument, "project name must not be something else than lowercase letters, digits, dashes and underscores, and begin with a letter or digit: {}", quoted(name));
  }
  if (name.empty()) name = normal_name(base_name(found.folder));
  if (name.empty()) return fail(Error(Errc::invalid_argument, "project name must not be empty").with_hint("use -p NAME"));
  project.name = name;
  found.variables.set("COMPOSE_PROJECT_NAME", name);

  LoadContext context{.variables = found.variables, .interpolate = request.interpolate, .resolve_paths = request.resolve_paths, .problems = {}, .warnings = {}, .reading = {}};
  Value model = Object{};
  for (const auto& path : project.files) {
    const auto loaded = TRY(load_file(context, path, found.folder));
    model = merge_projects(model, loaded);
  }
  project.model = without_marks(std::move(model));
  project.model.erase("name");
  for (const char* kind : {"services", "networks", "volumes", "secrets", "configs"})
    if (const auto* value = project.model.find(kind); value && value->is_null()) project.model.erase(kind);
  for (const auto& unset : found.variables.unset()) project.warnings.push_back(format("The {} variable is not set. Defaulting to a blank string.", quoted(unset)));
  project.warnings.insert(project.warnings.end(), context.warnings.begin(), context.warnings.end());
  project.environment = found.variables.values();
  if (!context.problems.empty()) return fail(problems_error(context.problems));
  std::vector<Problem> problems;
  imply_dependencies(project.model);
  choose_services(request, project, problems);
  if (problems.empty()) check_references(project, problems);
  if (!problems.empty()) return fail(problems_error(problems));
  if (request.resolve_environment) TRY(resolve_environment(project, found.variables));
  if (request.normalize) normalize(project);
  Value ordered = in_order_of_files(project);
  project.model = std::move(ordered);
  return project;
}

}  // namespace mica::compose
