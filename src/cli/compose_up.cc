#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_images.h"
#include "cli/compose_logs.h"
#include "cli/compose_project.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr int kInterrupted = 130;
constexpr Flag kUpFlags[] = {
    {"abort-on-container-exit", 0, "", "Stops all containers if any container was stopped.\nIncompatible with -d"},
    {"abort-on-container-failure", 0, "", "Stops all containers if any container exited with failure.\nIncompatible with -d"},
    {"always-recreate-deps", 0, "", "Recreate dependent containers. Incompatible with\n--no-recreate."},
    {"attach", 0, "stringArray", "Restrict attaching to the specified services"},
    {"attach-dependencies", 0, "", "Automatically attach to log output of dependent services"},
    {"build", 0, "", "Build images before starting containers"},
    {"detach", 'd', "", "Detached mode: Run containers in the background"},
    {"exit-code-from", 0, "string", "Return the exit code of the selected service container.\nImplies --abort-on-container-exit"},
    {"force-recreate", 0, "", "Recreate containers even if their configuration and image\nhaven't changed"},
    {"menu", 0, "", "", "mica has no interactive menu"},
    {"no-attach", 0, "stringArray", "Do not attach (stream logs) to the specified services"},
    {"no-build", 0, "", "Don't build an image, even if it's policy"},
    {"no-color", 0, "", "Produce monochrome output"},
    {"no-deps", 0, "", "Don't start linked services"},
    {"no-log-prefix", 0, "", "Don't print prefix in logs"},
    {"no-recreate", 0, "", "If containers already exist, don't recreate them"},
    {"no-start", 0, "", "Don't start the services after creating them"},
    {"pull", 0, "string", "Pull image before running (\"always\"|\"missing\"|\"never\")"},
    {"quiet-build", 0, "", "Suppress the build output"},
    {"quiet-pull", 0, "", "Pull without printing progress information"},
    {"remove-orphans", 0, "", "Remove containers for services not defined in the Compose\nfile"},
    {"renew-anon-volumes", 'V', "", "Recreate anonymous volumes instead of retrieving data from\nthe previous containers"},
    {"scale", 0, "scale", "Scale SERVICE to NUM instances. Overrides the scale setting\nin the Compose file if present."},
    {"timeout", 't', "int", "Use this timeout in seconds for container shutdown when\nattached or when containers are already running"},
    {"timestamps", 0, "", "Show timestamps"},
    {"wait", 0, "", "Wait for services to be running|healthy. Implies detached\nmode."},
    {"wait-timeout", 0, "int", "Maximum duration in seconds to wait for the project to be\nrunning|healthy"},
    {"watch", 'w', "", "", "use compose watch"},
    {"yes", 'y', "", "Assume \"yes\" as answer to all prompts"},
};
constexpr Flag kCreateFlags[] = {
    {"build", 0, "", "Build images before starting containers"},
    {"force-recreate", 0, "", "Recreate containers even if their configuration and image\nhaven't changed"},
    {"no-build", 0, "", "Don't build an image, even if it's policy"},
    {"no-recreate", 0, "", "If containers already exist, don't recreate them"},
    {"pull", 0, "string", "Pull image before running (\"always\"|\"missing\"|\"never\"|\"build\")"},
    {"quiet-pull", 0, "", "Pull without printing progress information"},
    {"remove-orphans", 0, "", "Remove containers for services not defined in the Compose\nfile"},
    {"scale", 0, "scale", "Scale SERVICE to NUM instances"},
    {"yes", 'y', "", "Assume \"yes\" as answer to all prompts"},
};

Result<std::map<std::string, int>> scales(const std::vector<std::string>& words) {
  std::map<std::string, int> out;
  for (const auto& word : words) {
    const auto parts = split_once(word, '=');
    const auto count = parts ? parse_int(parts->second) : std::nullopt;
    if (!count || *count < 0) return failf(Errc::invalid_argument, "invalid --scale option {}. Should be SERVICE=NUM", quoted(word));
    out[std::string(parts->first)] = static_cast<int>(*count);
  }
  return out;
}

struct Attached {
  int exit_code = 0;
  bool interrupted = false;
};

/// Follows the logs of what was started; the first end may end all.
Result<Attached> attach(Context& context, engine::Engine& engine, const compose::Project& project, const compose::UpRequest& request, const std::vector<std::string>& services, Timestamp since, const engine::Interrupt& interrupt) {
  const Args& args = context.args;
  const std::string from = args.text("exit-code-from");
  const bool any_end = args.flag("abort-on-container-exit") || !from.empty(), failure = args.flag("abort-on-container-failure");
  const auto only = args.list("attach"), without = args.list("no-attach");
  auto containers = TRY(compose::project_containers(engine, project.name));
  std::erase_if(containers, [&](const auto& one) {
    const bool named = request.services.empty() || args.flag("attach-dependencies") || std::ranges::count(request.services, one.service);
    const auto* service = project.service(one.service);
    return one.one_off || !std::ranges::count(services, one.service) || (only.empty() ? !named : !std::ranges::count(only, one.service)) || std::ranges::count(without, one.service) ||
           (service && !service->bool_or("attach", true));
  });
  if (containers.empty()) return Attached{};
  std::vector<std::string> names;
  for (const auto& one : containers) names.push_back(compose::short_name(one, project.name));
  note(format("Attaching to {}\n", join(names, ", ")));
  const std::string ansi = context.compose->text("ansi", "auto");
  const LogStyle style{.colour = !args.flag("no-color") && (ansi == "always" || (ansi == "auto" && ::isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR"))), .prefix = !args.flag("no-log-prefix"),
                       .timestamps = args.flag("timestamps")};
  Attached out;
  std::mutex mutex;
  bool aborting = false;
  const auto progress = compose_progress(context);
  const auto ended = [&](const compose::ProjectContainer& one, int code) {
    {
      const std::lock_guard lock(mutex);
      if (one.service == from) out.exit_code = code;
      else if (from.empty() && !aborting && (any_end || (failure && code != 0))) out.exit_code = code;
      if (aborting || !(any_end || (failure && code != 0))) return;
      aborting = true;
    }
    note("Aborting on container exit...\n");
    if (auto stopped = compose::stop_all(engine, project, {}, request.timeout, progress, {}); !stopped) note(format("mica: {}\n", stopped.error().text()));
  };
  auto printed = print_logs(engine, project.name, containers, {.since = since, .follow = true}, style, ended, interrupt.cancel());
  if (interrupt.cancel().check()) {
    TRY(std::move(printed));
    return out;
  }
  note("Gracefully Stopping... press Ctrl+C again to force\n");
  const auto again = engine::Interrupt::install();
  auto stopped = compose::stop_all(engine, project, {}, request.timeout, progress, again ? again->cancel() : task::Cancel());
  if (!stopped) {
    const auto rest = TRY(compose::project_containers(engine, project.name));
    for (const auto& one : rest)
      if (engine::is_running(one.row)) (void)engine::kill_container(engine, one.row.id, "KILL");
  }
  out.interrupted = true;
  return out;
}

Result<int> up(Context& context) {
  const Args& args = context.args;
  const bool detached = args.flag("detach") || args.flag("wait");
  if (detached && (args.flag("abort-on-container-exit") || args.has("exit-code-from") || args.flag("abort-on-container-failure")))
    return fail(Errc::invalid_argument, "--abort-on-container-exit and --detach are incompatible");
  if (args.flag("force-recreate") && args.flag("no-recreate")) return fail(Errc::invalid_argument, "--force-recreate and --no-recreate are incompatible");
  if (args.flag("build") && args.flag("no-build")) return fail(Errc::invalid_argument, "--build and --no-build are incompatible");
  compose::UpRequest request{.services = args.positionals(), .force_recreate = args.flag("force-recreate"), .no_recreate = args.flag("no-recreate"), .no_dependencies = args.flag("no-deps"),
                             .always_recreate_dependencies = args.flag("always-recreate-deps"), .renew_volumes = args.flag("renew-anon-volumes"), .remove_orphans = args.flag("remove-orphans")};
  request.scale = TRY(scales(args.list("scale")));
  request.timeout = TRY(timeout_of(args));
  const auto project = TRY(load_compose(context, request.services, request.no_dependencies));
  if (const std::string from = args.text("exit-code-from"); !from.empty() && !project.service(from)) return failf(Errc::not_found, "no such service: {}", from);
  for (const auto& [name, count] : request.scale)
    if (!project.service(name)) return failf(Errc::not_found, "no such service: {}", name);
  const auto services = compose::selected(project, request.services, request.no_dependencies);
  if (services.empty()) return fail(Errc::invalid_argument, "no service selected");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto progress = compose_progress(context);
  TRY(ensure_images(*engine, project, services,
                    {.build = args.flag("build"), .no_build = args.flag("no-build"), .pull = args.text("pull"), .quiet_pull = args.flag("quiet-pull"), .quiet_build = args.flag("quiet-build"), .progress = context.compose->text("progress", "auto")},
                    interrupt.cancel()));
  TRY(compose::create_all(*engine, project, request, progress, [](std::string_view text) { note(format("mica: warning: {}\n", text)); }, interrupt.cancel()));
  if (args.flag("no-start")) return 0;
  const Timestamp since = now();
  TRY(compose::start_all(*engine, project, services, progress, interrupt.cancel()));
  if (args.flag("wait")) {
    const auto seconds = parse_int(args.text("wait-timeout", "0"));
    TRY(compose::wait_until_up(*engine, project, services, static_cast<int>(seconds.value_or(0)), progress, interrupt.cancel()));
  }
  if (detached) return 0;
  const auto attached = TRY(attach(context, *engine, project, request, services, since, interrupt));
  return attached.interrupted ? kInterrupted : attached.exit_code;
}

Result<int> create(Context& context) {
  const Args& args = context.args;
  compose::UpRequest request{.services = args.positionals(), .force_recreate = args.flag("force-recreate"), .no_recreate = args.flag("no-recreate"), .remove_orphans = args.flag("remove-orphans")};
  request.scale = TRY(scales(args.list("scale")));
  const auto project = TRY(load_compose(context, request.services));
  const auto services = compose::selected(project, request.services, false);
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  TRY(ensure_images(*engine, project, services, {.build = args.flag("build"), .no_build = args.flag("no-build"), .pull = args.text("pull"), .quiet_pull = args.flag("quiet-pull"), .progress = context.compose->text("progress", "auto")}, interrupt.cancel()));
  TRY(compose::create_all(*engine, project, request, compose_progress(context), [](std::string_view text) { note(format("mica: warning: {}\n", text)); }, interrupt.cancel()));
  return 0;
}

constexpr Flag kScaleFlags[] = {{"no-deps", 0, "", "Don't start linked services"}};

Result<int> scale(Context& context) {
  compose::UpRequest request{.no_recreate = true, .no_dependencies = context.args.flag("no-deps")};
  request.scale = TRY(scales(context.args.positionals()));
  for (const auto& [name, count] : request.scale) request.services.push_back(name);
  const auto project = TRY(load_compose(context, request.services, request.no_dependencies));
  const auto services = compose::selected(project, request.services, request.no_dependencies);
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  TRY(ensure_images(*engine, project, services, {}, interrupt.cancel()));
  TRY(compose::create_all(*engine, project, request, compose_progress(context), {}, interrupt.cancel()));
  TRY(compose::start_all(*engine, project, services, compose_progress(context), interrupt.cancel()));
  return 0;
}

}  // namespace

constinit const Command kComposeUp{.usage = "[OPTIONS] [SERVICE...]", .summary = "Create and start containers", .aliases = {}, .flags = kUpFlags, .least = 0, .needs = Needs::mounts, .run = up};
constinit const Command kComposeCreate{.usage = "[OPTIONS] [SERVICE...]", .summary = "Creates containers for a service", .aliases = {}, .flags = kCreateFlags, .least = 0, .needs = Needs::mounts, .run = create};
constinit const Command kComposeScale{.usage = "[SERVICE=REPLICAS...]", .summary = "Scale services", .aliases = {}, .flags = kScaleFlags, .least = 1, .needs = Needs::mounts, .run = scale};

}  // namespace mica::cli
