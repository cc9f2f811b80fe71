#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_project.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kDownFlags[] = {
    {"remove-orphans", 0, "", "Remove containers for services not defined in the Compose\nfile"},
    {"rmi", 0, "string", "Remove images used by services. \"local\" remove only images\nthat don't have a custom tag (\"local\"|\"all\")"},
    {"timeout", 't', "int", "Specify a shutdown timeout in seconds"},
    {"volumes", 'v', "", "Remove named volumes declared in the \"volumes\" section of\nthe Compose file and anonymous volumes attached to\ncontainers"},
};
constexpr Flag kTimeoutFlags[] = {{"timeout", 't', "int", "Specify a shutdown timeout in seconds"}};
constexpr Flag kRestartFlags[] = {{"no-deps", 0, "", "Don't restart dependent services"}, {"timeout", 't', "int", "Specify a shutdown timeout in seconds"}};
constexpr Flag kKillFlags[] = {{"remove-orphans", 0, "", "Remove containers for services not defined in the Compose\nfile"}, {"signal", 's', "string", "SIGNAL to send to the container (default \"SIGKILL\")"}};
constexpr Flag kRmFlags[] = {
    {"force", 'f', "", "Don't ask to confirm removal"},
    {"stop", 's', "", "Stop the containers, if required, before removing"},
    {"volumes", 'v', "", "Remove any anonymous volumes attached to containers"},
};
constexpr Flag kStartFlags[] = {{"wait", 0, "", "Wait for services to be running|healthy. Implies detached\nmode."}, {"wait-timeout", 0, "int", "Maximum duration in seconds to wait"}};

Result<int> down(Context& context) {
  const Args& args = context.args;
  compose::DownRequest request{.services = args.positionals(), .remove_orphans = args.flag("remove-orphans"), .volumes = args.flag("volumes"), .images = args.text("rmi")};
  if (!request.images.empty() && request.images != "local" && request.images != "all") return failf(Errc::invalid_argument, "invalid value for --rmi: {}", quoted(request.images));
  request.timeout = TRY(timeout_of(args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  for (const auto& name : request.services)
    if (!project.service(name)) return failf(Errc::not_found, "no such service: {}", name);
  const bool any = TRY(compose::remove_all(*engine, project, request, compose_progress(context), interrupt.cancel()));
  if (!any) note(format("mica: warning: No resource found to remove for project {}.\n", quoted(project.name)));
  return 0;
}

Result<int> stop(Context& context) {
  const auto timeout = TRY(timeout_of(context.args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  TRY(containers_of(*engine, project, context.args.positionals()));
  TRY(compose::stop_all(*engine, project, context.args.positionals(), timeout, compose_progress(context), interrupt.cancel()));
  return 0;
}

Result<int> start(Context& context) {
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto containers = TRY(containers_of(*engine, project, context.args.positionals()));
  if (containers.empty())
    return failf(Errc::not_found, "{}", context.args.positionals().empty() ? "no container found for project " + quoted(project.name) : format("service {} has no container to start", quoted(context.args.positional(0))));
  const auto services = compose::selected(project, context.args.positionals(), false);
  TRY(compose::start_all(*engine, project, services, compose_progress(context), interrupt.cancel()));
  if (context.args.flag("wait")) {
    const auto seconds = parse_int(context.args.text("wait-timeout", "0"));
    TRY(compose::wait_until_up(*engine, project, services, static_cast<int>(seconds.value_or(0)), compose_progress(context), interrupt.cancel()));
  }
  return 0;
}

Result<int> restart(Context& context) {
  const auto timeout = TRY(timeout_of(context.args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  auto names = context.args.positionals();
  // Those that depend on them and ask for it (depends_on.restart).
  if (!names.empty() && !context.args.flag("no-deps"))
    for (const auto& [name, service] : project.services().as_object())
      if (const auto* needs = service.find("depends_on"); needs && needs->is_object())
        for (const auto& [other, how] : needs->as_object())
          if (how.bool_or("restart") && std::ranges::count(names, other) && !std::ranges::count(names, name)) names.push_back(name);
  const auto containers = TRY(containers_of(*engine, project, names));
  const auto progress = compose_progress(context);
  for (const auto& name : project.in_order()) {
    std::vector<compose::ProjectContainer> mine;
    for (const auto& one : containers)
      if (one.service == name) mine.push_back(one);
    TRY(compose::each_at_once(mine, [&](const compose::ProjectContainer& one) -> Result<> {
      if (progress) progress("Container", one.row.name, "Restarting");
      TRY(engine::restart_container(*engine, one.row.id, timeout, "", interrupt.cancel()));
      if (progress) progress("Container", one.row.name, "Started");
      return {};
    }));
  }
  return 0;
}

Result<int> kill(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  auto containers = TRY(containers_of(*engine, project, context.args.positionals()));
  std::erase_if(containers, [](const auto& one) { return !engine::is_running(one.row); });
  if (containers.empty()) {
    note("no container to kill\n");
    return 0;
  }
  const auto progress = compose_progress(context);
  for (const auto& one : containers) {
    if (progress) progress("Container", one.row.name, "Killing");
    TRY(engine::kill_container(*engine, one.row.id, context.args.text("signal", "SIGKILL")));
    if (progress) progress("Container", one.row.name, "Killed");
  }
  if (context.args.flag("remove-orphans")) {
    const auto all = TRY(compose::project_containers(*engine, project.name));
    for (const auto& one : all)
      if (!project.service(one.service)) TRY(engine::remove_container(*engine, one.row.id, {.force = true, .volumes = false}, {}));
  }
  return 0;
}

Result<int> rm(Context& context) {
  const Args& args = context.args;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto progress = compose_progress(context);
  auto containers = TRY(containers_of(*engine, project, args.positionals()));
  if (args.flag("stop")) {
    TRY(compose::stop_all(*engine, project, args.positionals(), std::nullopt, progress, interrupt.cancel()));
    containers = TRY(containers_of(*engine, project, args.positionals()));
  }
  std::erase_if(containers, [](const auto& one) { return engine::is_running(one.row); });
  if (containers.empty()) {
    note("No stopped containers\n");
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& one : containers) names.push_back(one.row.name);
  if (args.flag("force")) TRY(print(format("Going to remove {}\n", join(names, ", "))));
  else if (!confirm(format("Going to remove {}\nAre you sure?", join(names, ", ")))) return 0;
  for (const auto& one : containers) {
    if (progress) progress("Container", one.row.name, "Removing");
    TRY(engine::remove_container(*engine, one.row.id, {.force = false, .volumes = args.flag("volumes")}, interrupt.cancel()));
    if (progress) progress("Container", one.row.name, "Removed");
  }
  return 0;
}

Result<int> pause_all(Context& context, bool pause) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto containers = TRY(containers_of(*engine, project, context.args.positionals()));
  const auto progress = compose_progress(context);
  for (const auto& one : containers) {
    TRY(engine::pause_container(*engine, one.row.id, pause));
    if (progress) progress("Container", one.row.name, pause ? "Paused" : "Unpaused");
  }
  return 0;
}
Result<int> pause(Context& context) { return pause_all(context, true); }
Result<int> unpause(Context& context) { return pause_all(context, false); }

constexpr Flag kWaitFlags[] = {{"down-project", 0, "", "Drops project when the first container stops"}};
Result<int> wait(Context& context) {
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto containers = TRY(containers_of(*engine, project, context.args.positionals()));
  int status = 0;
  for (const auto& one : containers) {
    status = TRY(engine::wait_container(*engine, one.row.id, engine::WaitFor::not_running, interrupt.cancel()));
    TRY(print(format("container {} exited with code {}\n", quoted(one.row.id.substr(0, 12)), status)));
    if (context.args.flag("down-project")) {
      TRY(compose::remove_all(*engine, project, {.remove_orphans = true}, compose_progress(context), interrupt.cancel()));
      return status;
    }
  }
  return status;
}

}  // namespace

constinit const Command kComposeDown{.usage = "[OPTIONS] [SERVICES]", .summary = "Stop and remove containers, networks", .aliases = {}, .flags = kDownFlags, .least = 0, .run = down};
constinit const Command kComposeStop{.usage = "[OPTIONS] [SERVICE...]", .summary = "Stop services", .aliases = {}, .flags = kTimeoutFlags, .least = 0, .run = stop};
constinit const Command kComposeStart{.usage = "[SERVICE...]", .summary = "Start services", .aliases = {}, .flags = kStartFlags, .least = 0, .run = start};
constinit const Command kComposeRestart{.usage = "[OPTIONS] [SERVICE...]", .summary = "Restart service containers", .aliases = {}, .flags = kRestartFlags, .least = 0, .run = restart};
constinit const Command kComposeKill{.usage = "[OPTIONS] [SERVICE...]", .summary = "Force stop service containers", .aliases = {}, .flags = kKillFlags, .least = 0, .run = kill};
constinit const Command kComposeRm{.usage = "[OPTIONS] [SERVICE...]", .summary = "Removes stopped service containers", .aliases = {}, .flags = kRmFlags, .least = 0, .run = rm};
constinit const Command kComposePause{.usage = "[SERVICE...]", .summary = "Pause services", .aliases = {}, .flags = {}, .least = 0, .run = pause};
constinit const Command kComposeUnpause{.usage = "[SERVICE...]", .summary = "Unpause services", .aliases = {}, .flags = {}, .least = 0, .run = unpause};
constinit const Command kComposeWait{.usage = "SERVICE [SERVICE...]", .summary = "Block until containers of all (or specified) services stop.", .aliases = {}, .flags = kWaitFlags, .least = 1, .run = wait};

}  // namespace mica::cli
