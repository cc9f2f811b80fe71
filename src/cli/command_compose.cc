#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_project.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all-resources", 0, "", "Include all resources, even those not used by services", "resources that no service uses are never made"},
    {"ansi", 0, "string", "Control when to print ANSI control characters (\"never\",\n\"always\", \"auto\") (default \"auto\")"},
    {"compatibility", 0, "", "Run compose in backward compatibility mode", "container names of compose 1 are not supported"},
    {"dry-run", 0, "", "Execute command in dry run mode", "not supported yet"},
    {"env-file", 0, "stringArray", "Specify an alternate environment file"},
    {"file", 'f', "stringArray", "Compose configuration files"},
    {"parallel", 0, "int", "Control max parallelism, -1 for unlimited (default -1)"},
    {"profile", 0, "stringArray", "Specify a profile to enable"},
    {"progress", 0, "string", "Set type of progress output (auto, tty, plain, json,\nquiet)"},
    {"project-directory", 0, "string", "Specify an alternate working directory (default: the path\nof the, first specified, Compose file)"},
    {"project-name", 'p', "string", "Project name"},
    {"verbose", 0, "", ""},
    {"version", 'v', "", "Show the Docker Compose version that mica follows"},
    {"workdir", 0, "string", ""},
};

Result<int> run(Context& context) {
  if (context.args.flag("version")) {
    TRY(print("Docker Compose version v2.40.3-mica\n"));
    return 0;
  }
  const auto& words = context.args.positionals();
  if (words.empty()) {
    context.args = {};
    return run_inner(context, "compose help", {});
  }
  return run_inner(context, "compose " + words[0], std::span(words).subspan(1));
}

}  // namespace

compose::ProjectRequest compose_request(const Context& context) {
  const Args& args = *context.compose;
  return {.files = args.list("file"), .folder = args.text("project-directory", args.text("workdir")), .name = args.text("project-name"), .env_files = args.list("env-file"), .profiles = args.list("profile")};
}

Result<compose::Project> load_compose(const Context& context, std::vector<std::string> services, bool without_dependencies) {
  auto request = compose_request(context);
  request.services = std::move(services);
  request.without_dependencies = without_dependencies;
  auto project = TRY(compose::load_project(request));
  for (const auto& warning : project.warnings) note(format("mica: warning: {}\n", warning));
  return project;
}

Result<compose::Project> load_compose_or_containers(const Context& context, engine::Engine& engine) {
  auto request = compose_request(context);
  request.profiles = {"*"};   // what runs is wanted, whatever its profile
  auto project = compose::load_project(request);
  if (project) {
    for (const auto& warning : project->warnings) note(format("mica: warning: {}\n", warning));
    return project;
  }
  std::string name = request.name;
  if (const char* variable = std::getenv("COMPOSE_PROJECT_NAME"); name.empty() && variable) name = variable;
  if (project.error().code() != Errc::not_found || name.empty() || !request.files.empty()) return project;
  return compose::project_from_containers(engine, name);
}

compose::Progress compose_progress(const Context& context) {
  if (context.compose->text("progress") == "quiet") return {};
  return [](const std::string& kind, const std::string& name, const std::string& state) { note(format(" {} {}  {}\n", kind, name, state)); };
}

Result<std::vector<compose::ProjectContainer>> containers_of(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, bool one_offs) {
  auto all = TRY(compose::project_containers(engine, project.name));
  for (const auto& name : services) {
    const bool known = project.service(name) || project.disabled.find(name) || std::ranges::any_of(all, [&](const auto& one) { return one.service == name; });
    if (!known) return failf(Errc::not_found, "no such service: {}", name);
  }
  std::erase_if(all, [&](const auto& one) { return (!services.empty() && !std::ranges::count(services, one.service)) || (one.one_off && !one_offs); });
  return all;
}

Result<compose::ProjectContainer> container_of(engine::Engine& engine, const compose::Project& project, const std::string& service, int index, bool running) {
  const auto all = TRY(compose::project_containers(engine, project.name));
  for (const auto& one : all)
    if (one.service == service && !one.one_off && (index == 0 || one.number == index) && (!running || engine::is_running(one.row))) return one;
  if (index > 0) return failf(Errc::not_found, "service {} is not running container #{}", quoted(service), index);
  return failf(Errc::conflict, "service {} is not running", quoted(service));
}

Result<std::optional<int>> timeout_of(const Args& args) {
  if (!args.has("timeout")) return std::optional<int>();
  const auto seconds = parse_int(args.text("timeout"));
  if (!seconds) return failf(Errc::invalid_argument, "invalid argument {} for \"-t, --timeout\" flag: a number is expected", quoted(args.text("timeout")));
  return std::optional(static_cast<int>(*seconds));
}

constinit const Command kCompose{.usage = "[OPTIONS] COMMAND",
                                 .summary = "Define and run multi-container applications",
                                 .aliases = {},
                                 .flags = kFlags,
                                 .least = 0,
                                 .needs = Needs::nothing,
                                 .flags_first = true,
                                 .run = run};

}  // namespace mica::cli
