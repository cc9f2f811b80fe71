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

constinit const Command kCompose{.usage = "[OPTIONS] COMMAND",
                                 .summary = "Define and run multi-container applications",
                                 .aliases = {},
                                 .flags = kFlags,
                                 .least = 0,
                                 .needs = Needs::nothing,
                                 .flags_first = true,
                                 .run = run};

}  // namespace mica::cli
