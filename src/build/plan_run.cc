// RUN and its mounts.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/plan_mounts.h"
#include "build/plan_stage.h"
#include "build/plan_titles.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

constexpr std::string_view kPipes = "/dev/pipes/";

Error missing_entitlement(std::string_view name, std::string_view flag) {
  return Error(Errc::permission_denied, format("{} is not allowed", name))
      .with_hint(format("{} needs mica build --allow {}", flag, name));
}

}  // namespace

Result<> StagePlanner::run_command(const df::Run& run, const Order& order) {
  const PlanRequest& request = planning_.request;
  const oci::ImageConfig& config = state_.plan.config;
  if (!run.devices.empty())
    return fail(Error(Errc::unsupported, "RUN --device is not supported")
                    .with_hint("devices of the host are for containers: mica run --device"));

  RunOp op{.argv = {},
           .env = state_.environment.entries(),
           .cwd = clean_path(config.working_dir.empty() ? "/" : config.working_dir),
           .user = config.user,
           .script = std::nullopt,
           .mounts = {},
           .network = run.network.empty() || run.network == "default" ? request.network : run.network,
           .insecure = run.security == "insecure",
           .hostname = planning_.given.get_or("BUILDKIT_SANDBOX_HOSTNAME", "buildkitsandbox")};
  df::CommandLine command = run.command;
  if (!command.exec_form) {
    const df::ShellInput input = df::shell_input(run.command);
    command.words = {input.text};
    if (input.script) {
      op.script = InlineFile{input.script->name, input.script->body};
      command.words = {std::string(kPipes) + input.script->name};
    }
  }
  op.argv = argv_of(config, command);
  std::vector<VertexId> inputs;
  op.mounts = TRY(mounts_of(run, order, inputs));
  TRY(check_entitlements(op));

  Environment shown = state_.environment;
  for (const RunMount& mount : op.mounts)
    if (!mount.spec.env.empty()) shown.set(mount.spec.env, "****");
  std::string history = run_history(op.argv);
  add_vertex(order, std::move(op), std::move(inputs), run_title(*order.instruction, shown, planning_.file.directives.escape));
  commit(std::move(history), false);
  return {};
}

Result<std::vector<RunMount>> StagePlanner::mounts_of(const df::Run& run, const Order& order, std::vector<VertexId>& inputs) {
  const WordExpander words = expander(order);
  const auto expand = [&](std::string_view value) { return words.word(std::string(value)); };
  const std::string name_space = planning_.given.get_or("BUILDKIT_CACHE_MOUNT_NS", "");
  std::vector<RunMount> mounts;
  int ssh_number = 0;
  for (std::size_t i = 0; i < run.mounts.size(); ++i) {
    RunMount mount;
    mount.spec = TRY(df::parse_mount(run.mounts[i], expand));
    TRY(complete_mount(mount.spec, state_.plan.config.working_dir, ssh_number));
    const Source& source = order.sources[i];
    if (mount.spec.type == df::MountType::bind || mount.spec.type == df::MountType::cache)
      mount.from = TRY(origin_of(source, order, mount.spec.target));
    if (mount.spec.type == df::MountType::cache) {
      mount.seeded = source.kind != Source::Kind::nothing;
      mount.cache_key = cache_mount_key(name_space, mount.spec, mount.seeded ? mount.spec.from : "");
    }
    if (mount.from.kind == Origin::Kind::vertex && mount.from.vertex != kNoVertex &&
        std::ranges::find(inputs, mount.from.vertex) == inputs.end())
      inputs.push_back(mount.from.vertex);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<> StagePlanner::check_entitlements(const RunOp& run) const {
  const PlanRequest& request = planning_.request;
  // Who asks for the host's network for the whole build allows it by that.
  if (run.network == "host" && request.network != "host" && !request.entitlements.contains("network.host"))
    return fail(missing_entitlement("network.host", "RUN --network=host"));
  if (run.insecure && !request.entitlements.contains("security.insecure"))
    return fail(missing_entitlement("security.insecure", "RUN --security=insecure"));
  return {};
}

/// "RUN |2 A=1 B=2 /bin/sh -c make # buildkit": the ARGs in force, each once, with the values that the command sees.
std::string StagePlanner::run_history(const std::vector<std::string>& argv) const {
  std::vector<std::string> names, words;
  for (const auto& [name, value] : state_.arguments) {
    const std::string entry = name + "=" + state_.environment.get(name).value_or(value.value_or(""));
    const auto known = std::ranges::find(names, name);
    if (known != names.end()) {
      words[static_cast<std::size_t>(known - names.begin())] = entry;
      continue;
    }
    names.push_back(name);
    words.push_back(entry);
  }
  if (!words.empty()) words.insert(words.begin(), format("|{}", names.size()));
  words.insert(words.end(), argv.begin(), argv.end());
  return "RUN " + join(words, " ") + " # buildkit";
}

}  // namespace mica::build
