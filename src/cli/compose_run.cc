#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_images.h"
#include "cli/compose_project.h"
#include "cli/pull_missing.h"
#include "compose/canonical.h"
#include "compose/service_container.h"
#include "compose/service_hash.h"
#include "container/ports.h"
#include "engine/interrupt.h"
#include "engine/mount_options.h"
#include "engine/push_image.h"

namespace mica::cli {
namespace {

constexpr Flag kRunFlags[] = {
    {"build", 0, "", "Build image before starting container"},
    {"cap-add", 0, "list", "Add Linux capabilities"},
    {"cap-drop", 0, "list", "Drop Linux capabilities"},
    {"detach", 'd', "", "Run container in background and print container ID"},
    {"entrypoint", 0, "string", "Override the entrypoint of the image"},
    {"env", 'e', "stringArray", "Set environment variables"},
    {"env-from-file", 0, "stringArray", "Set environment variables from file", "use env_file in the compose file"},
    {"interactive", 'i', "", "Keep STDIN open even if not attached (default true)"},
    {"label", 'l', "stringArray", "Add or override a label"},
    {"name", 0, "string", "Assign a name to the container"},
    {"no-TTY", 'T', "", "Disable pseudo-TTY allocation (default: auto-detected)"},
    {"no-deps", 0, "", "Don't start linked services"},
    {"publish", 'p', "stringArray", "Publish a container's port(s) to the host"},
    {"pull", 0, "string", "Pull image before running (\"always\"|\"missing\"|\"never\")"},
    {"quiet", 'q', "", "Don't print anything to STDOUT"},
    {"quiet-build", 0, "", "Suppress progress output from the build process"},
    {"quiet-pull", 0, "", "Pull without printing progress information"},
    {"remove-orphans", 0, "", "Remove containers for services not defined in the Compose\nfile"},
    {"rm", 0, "", "Automatically remove the container when it exits"},
    {"service-ports", 'P', "", "Run command with all service's ports enabled and mapped to\nthe host"},
    {"use-aliases", 0, "", "Use the service's network useAliases in the network(s) the\ncontainer connects to"},
    {"user", 'u', "string", "Run as specified username or uid"},
    {"volume", 'v', "stringArray", "Bind mount a volume"},
    {"workdir", 'w', "string", "Working directory inside the container"},
};
constexpr Flag kExecFlags[] = {
    {"detach", 'd', "", "Detached mode: Run command in the background"},
    {"env", 'e', "stringArray", "Set environment variables"},
    {"index", 0, "int", "Index of the container if service has multiple replicas"},
    {"interactive", 'i', "", "Keep STDIN open even if not attached (default true)"},
    {"no-TTY", 'T', "", "Disable pseudo-TTY allocation. By default `docker compose\nexec` allocates a TTY."},
    {"privileged", 0, "", "Give extended privileges to the process"},
    {"user", 'u', "string", "Run the command as this user"},
    {"workdir", 'w', "string", "Path to workdir directory for this command"},
};
constexpr Flag kBuildFlags[] = {
    {"build-arg", 0, "stringArray", "Set build-time variables for services"},
    {"builder", 0, "string", "", "mica has one builder"},
    {"check", 0, "", "Check build configuration", "use mica build --check"},
    {"memory", 'm', "bytes", "", "BuildKit does not have it"},
    {"no-cache", 0, "", "Do not use cache when building the image"},
    {"print", 0, "", "", "mica has no bake"},
    {"provenance", 0, "string", "", "attestations are not supported yet"},
    {"pull", 0, "", "Always attempt to pull a newer version of the image"},
    {"push", 0, "", "Push service images"},
    {"quiet", 'q', "", "Suppress the build output"},
    {"sbom", 0, "string", "", "attestations are not supported yet"},
    {"ssh", 0, "string", "Set SSH authentications used when building service images"},
    {"with-dependencies", 0, "", "Also build dependencies (transitively)"},
};
constexpr Flag kPullFlags[] = {
    {"ignore-buildable", 0, "", "Ignore images that can be built"},
    {"ignore-pull-failures", 0, "", "Pull what it can and ignores images with pull failures"},
    {"include-deps", 0, "", "Also pull services declared as dependencies"},
    {"policy", 0, "string", "Apply pull policy (\"missing\"|\"always\")"},
    {"quiet", 'q', "", "Pull without printing progress information"},
};

/// The service as one run of it is meant: without ports and aliases unless asked for.
Result<json::Value> one_off_service(const Args& args, json::Value service) {
  if (!args.flag("service-ports")) service.erase("ports");
  service.erase("container_name");
  service.erase("restart");
  service.erase("deploy");
  service.erase("scale");
  if (!args.flag("use-aliases"))
    if (auto* networks = service.find("networks"); networks && networks->is_object())
      for (auto& [name, how] : networks->as_object())
        if (how.is_object()) how.erase("aliases");
  const auto& words = args.positionals();
  if (words.size() > 1) service.set("command", json::from({words.begin() + 1, words.end()}));
  if (args.has("entrypoint")) {
    const auto entrypoint = TRY(compose::shell_words(args.text("entrypoint")));
    service.set("entrypoint", json::from(entrypoint));
    if (words.size() <= 1) service.erase("command");
  }
  if (args.has("user")) service.set("user", args.text("user"));
  if (args.has("workdir")) service.set("working_dir", args.text("workdir"));
  for (const auto& word : args.list("env")) {
    if (!service.find("environment")) service.set("environment", json::Object{});
    const auto parts = split_once(word, '=');
    const char* outside = std::getenv(word.c_str());
    service.find("environment")->set(parts ? std::string(parts->first) : word, parts ? json::Value(std::string(parts->second)) : outside ? json::Value(outside) : json::Value());
  }
  for (const auto& word : args.list("label")) {
    if (!service.find("labels")) service.set("labels", json::Object{});
    const auto parts = split_once(word, '=');
    service.find("labels")->set(parts ? std::string(parts->first) : word, std::string(parts ? parts->second : ""));
  }
  for (const auto& [flag, member] : {std::pair{"cap-add", "cap_add"}, std::pair{"cap-drop", "cap_drop"}})
    for (const auto& cap : args.list(flag)) {
      if (!service.find(member)) service.set(member, json::Array{});
      service.find(member)->push(cap);
    }
  return service;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string name = args.positional(0);
  const auto interrupt = TRY(engine::Interrupt::install());
  auto project = TRY(load_compose(context, {name}));
  auto engine = TRY(engine::Engine::open(context.options));
  const auto progress = compose_progress(context);
  auto services = compose::selected(project, {name}, args.flag("no-deps"));
  TRY(ensure_images(*engine, project, services, {.build = args.flag("build"), .pull = args.text("pull"), .quiet_pull = args.flag("quiet-pull"), .quiet_build = args.flag("quiet-build")}, interrupt.cancel()));
  std::erase(services, name);
  compose::UpRequest needs{.services = services, .no_recreate = true, .no_dependencies = true, .remove_orphans = args.flag("remove-orphans")};
  if (services.empty()) {
    // The networks and volumes are wanted all the same, and no container of the others.
    auto alone = project;
    alone.model.set("services", json::Object{});
    TRY(compose::create_all(*engine, alone, needs, progress, {}, interrupt.cancel()));
  } else {
    TRY(compose::create_all(*engine, project, needs, progress, {}, interrupt.cancel()));
    TRY(compose::start_all(*engine, project, services, progress, interrupt.cancel()));
  }

  const auto image = TRY(engine->images().resolve(compose::image_name(project, name, *project.service(name))));
  auto service = TRY(one_off_service(args, *project.service(name)));
  *project.model.find("services")->find(name) = std::move(service);
  const std::string own = args.has("name") ? args.text("name") : format("{}-{}-run-{}", project.name, name, random_hex(6));
  auto request = TRY(compose::container_request(*engine, project, {.service = name, .number = 1, .one_off = true, .name = own, .image_id = image.id.digest.str(), .anonymous_volumes = {}}));
  auto& definition = request.definition;
  for (const auto& text : args.list("publish")) {
    const auto ports = TRY(container::parse_publish(text));
    definition.ports.insert(definition.ports.end(), ports.begin(), ports.end());
  }
  for (const auto& text : args.list("volume")) {
    auto mount = TRY(engine::parse_volume_flag(text, project.folder));
    definition.mounts.push_back(std::move(mount));
  }
  const bool detach = args.flag("detach"), input = args.flag("interactive", true);
  const bool tty = !args.flag("no-TTY") && !detach && ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
  definition.tty = tty;
  definition.open_stdin = definition.stdin_once = definition.attach_stdin = input && !detach;
  definition.auto_remove = args.flag("rm");
  const std::string id = TRY(engine::create_container(*engine, std::move(request), interrupt.cancel()));
  if (detach) {
    TRY(engine::start_container(*engine, id, nullptr, interrupt.cancel()));
    TRY(print(own + "\n"));
    return 0;
  }
  engine::Attachment attachment{.input = input, .output = true, .stdin_fd = STDIN_FILENO, .on_output = {}};
  if (tty) attachment.terminal_fd = STDIN_FILENO;
  const auto ended = TRY(engine::start_container(*engine, id, &attachment, interrupt.cancel()));
  return ended.detached ? 0 : ended.exit_code;
}

Result<int> exec(Context& context) {
  const Args& args = context.args;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto one = TRY(container_of(*engine, project, args.positional(0), static_cast<int>(parse_int(args.text("index", "0")).value_or(0))));
  const bool tty = !args.flag("no-TTY") && !args.flag("detach") && ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
  engine::ExecContainer request{.command = {args.positionals().begin() + 1, args.positionals().end()}, .env = {}, .user = args.text("user"), .workdir = args.text("workdir"), .tty = tty,
                                .interactive = args.flag("interactive", true) && !args.flag("detach"), .detach = args.flag("detach"), .privileged = args.flag("privileged"), .on_output = {}};
  for (const auto& word : args.list("env")) {
    const char* outside = word.find('=') == word.npos ? std::getenv(word.c_str()) : nullptr;
    if (word.find('=') != word.npos) request.env.push_back(word);
    else if (outside) request.env.push_back(format("{}={}", word, outside));
  }
  return engine::exec_container(*engine, one.row.id, request, interrupt.cancel());
}

Result<int> build(Context& context) {
  const Args& args = context.args;
  const auto project = TRY(load_compose(context, args.positionals(), !args.flag("with-dependencies")));
  const auto services = compose::selected(project, args.positionals(), !args.flag("with-dependencies"));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  BuildServices how{.args = args.list("build-arg"), .no_cache = args.flag("no-cache"), .pull = args.flag("pull"), .quiet = args.flag("quiet"), .ssh = args.list("ssh"), .progress = context.compose->text("progress", "auto")};
  const bool any = std::ranges::any_of(services, [&](const auto& name) { return project.service(name)->find("build") != nullptr; });
  if (!any) note("mica: warning: No services to build\n");
  TRY(build_services(*engine, project, services, how, interrupt.cancel()));
  if (!args.flag("push")) return 0;
  for (const auto& name : services)
    if (const auto& service = *project.service(name); service.find("build") && !service.string_or("image").empty())
      TRY(engine::push_images(*engine, {.name = service.string_or("image")}, [](const oci::Reference&) {}, [](const engine::TransferEvent&) {}, interrupt.cancel()));
  return 0;
}

Result<int> pull(Context& context) {
  const Args& args = context.args;
  const auto project = TRY(load_compose(context, args.positionals(), !args.flag("include-deps")));
  const auto services = compose::selected(project, args.positionals(), !args.flag("include-deps"));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  for (const auto& name : services) {
    const auto& service = *project.service(name);
    const std::string image = service.string_or("image");
    if (image.empty() || (args.flag("ignore-buildable") && service.find("build"))) {
      note(format(" {} Skipped - No image to be pulled\n", name));
      continue;
    }
    if (args.text("policy") == "missing" && engine->images().resolve(image)) {
      note(format(" {} Skipped - Image is already present locally\n", name));
      continue;
    }
    note(format(" {} Pulling\n", name));
    auto pulled = pull_missing(*engine, true, interrupt.cancel())(image, service.string_or("platform"));
    if (!pulled && (args.flag("ignore-pull-failures") || service.find("build"))) {
      note(format(" {} Warning {}\n", name, pulled.error().text()));
      continue;
    }
    TRY(std::move(pulled));
    note(format(" {} Pulled\n", name));
  }
  return 0;
}

constexpr Flag kPushFlags[] = {
    {"ignore-push-failures", 0, "", "Push what it can and ignores images with push failures"},
    {"include-deps", 0, "", "Also push images of services declared as dependencies"},
    {"quiet", 'q', "", "Push without printing progress information"},
};

Result<int> push(Context& context) {
  const Args& args = context.args;
  const auto project = TRY(load_compose(context, args.positionals(), !args.flag("include-deps")));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  for (const auto& name : compose::selected(project, args.positionals(), !args.flag("include-deps"))) {
    const auto& service = *project.service(name);
    if (!service.find("build") || service.string_or("image").empty()) {
      note(format(" {} Skipped\n", name));
      continue;
    }
    if (!args.flag("quiet")) note(format(" {} Pushing\n", name));
    auto pushed = engine::push_images(*engine, {.name = service.string_or("image")}, [](const oci::Reference&) {}, [](const engine::TransferEvent&) {}, interrupt.cancel());
    if (!pushed && !args.flag("ignore-push-failures")) return fail(std::move(pushed).error());
    if (!args.flag("quiet")) note(format(" {} {}\n", name, pushed ? "Pushed" : "Error"));
  }
  return 0;
}

}  // namespace

constinit const Command kComposeRun{
    .usage = "[OPTIONS] SERVICE [COMMAND] [ARGS...]", .summary = "Run a one-off command on a service", .aliases = {}, .flags = kRunFlags, .least = 1, .needs = Needs::mounts, .flags_first = true, .run = run};
constinit const Command kComposeExec{
    .usage = "[OPTIONS] SERVICE COMMAND [ARGS...]", .summary = "Execute a command in a running container", .aliases = {}, .flags = kExecFlags, .least = 2, .flags_first = true, .run = exec};
constinit const Command kComposeBuild{.usage = "[OPTIONS] [SERVICE...]", .summary = "Build or rebuild services", .aliases = {}, .flags = kBuildFlags, .least = 0, .needs = Needs::mounts, .run = build};
constinit const Command kComposePull{.usage = "[OPTIONS] [SERVICE...]", .summary = "Pull service images", .aliases = {}, .flags = kPullFlags, .least = 0, .needs = Needs::mounts, .run = pull};
constinit const Command kComposePush{.usage = "[OPTIONS] [SERVICE...]", .summary = "Push service images", .aliases = {}, .flags = kPushFlags, .least = 0, .run = push};

}  // namespace mica::cli
