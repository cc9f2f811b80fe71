#include "cli/command_build.h"

#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "cli/progress.h"
#include "engine/build_image.h"
#include "engine/interrupt.h"
#include "engine/run_container.h"

namespace mica::cli {
namespace {

std::vector<std::string> comma_lists(const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (const auto& value : values)
    for (const auto word : split(value, ','))
      if (!word.empty()) words.emplace_back(word);
  return words;
}

Result<engine::BuildAction> action_of(const Args& args) {
  if (args.flag("check")) return engine::BuildAction::check;
  if (args.flag("dry-run")) return engine::BuildAction::dry_run;
  const std::string call = args.text("call", "build");
  if (call == "build") return engine::BuildAction::build;
  if (call == "check" || call == "lint") return engine::BuildAction::check;
  if (call == "targets") return engine::BuildAction::targets;
  return failf(Errc::unsupported, "--call {} is not supported: use build, check or targets", call);
}

/// Attestations that are switched off are what mica does anyway.
Result<> check_attestations(const Args& args) {
  for (const char* flag : {"provenance", "sbom"})
    if (args.has(flag) && args.text(flag) != "false") return failf(Errc::unsupported, "--{}={} is not supported: mica makes no attestations yet", flag, args.text(flag));
  if (!args.list("attest").empty()) return fail(Errc::unsupported, "--attest is not supported: mica makes no attestations yet");
  return {};
}

}  // namespace

Result<engine::BuildImage> build_request(const Args& args) {
  TRY(check_attestations(args));
  engine::BuildImage request;
  request.context.context = args.positional(0);
  request.context.dockerfile = args.text("file");
  request.tags = args.list("tag");
  request.target = args.text("target");
  request.build_args = args.list("build-arg");
  request.build_contexts = args.list("build-context");
  request.labels = args.list("label");
  request.annotations = args.list("annotation");
  request.platforms = comma_lists(args.list("platform"));
  request.add_hosts = comma_lists(args.list("add-host"));
  request.allow = comma_lists(args.list("allow"));
  request.network = args.text("network", "default");
  request.cgroup_parent = args.text("cgroup-parent");
  if (args.has("shm-size")) request.shm_bytes = TRY(parse_size(args.text("shm-size")));
  for (const auto& text : args.list("ulimit")) {
    auto limit = TRY(engine::parse_ulimit(text));
    request.rlimits.push_back(std::move(limit));
  }
  for (const auto& text : args.list("secret")) {
    auto secret = TRY(engine::parse_secret(text));
    request.secrets.push_back(std::move(secret));
  }
  for (const auto& text : args.list("ssh")) {
    auto source = TRY(engine::parse_ssh(text));
    request.ssh.push_back(std::move(source));
  }
  for (const auto& text : args.list("output")) {
    auto output = TRY(engine::parse_output(text));
    request.outputs.push_back(std::move(output));
  }
  if (args.flag("load")) request.outputs.push_back({.kind = engine::BuildOutput::Kind::docker});
  for (const auto& text : args.list("cache-from")) {
    auto cache = TRY(engine::parse_cache(text, false));
    request.cache_from.push_back(std::move(cache));
  }
  for (const auto& text : args.list("cache-to")) {
    auto cache = TRY(engine::parse_cache(text, true));
    request.cache_to.push_back(std::move(cache));
  }
  request.no_cache = args.flag("no-cache");
  request.pull = args.flag("pull");
  request.no_cache_filter = comma_lists(args.list("no-cache-filter"));
  request.ca = args.text("ca");
  request.timestamp = args.text("timestamp");
  request.explain = args.flag("explain");
  request.replay_logs = args.flag("replay-logs");
  request.debug_shell = args.flag("debug");
  request.action = TRY(action_of(args));
  if (request.debug_shell && (!::isatty(STDIN_FILENO) || !::isatty(STDERR_FILENO)))
    return fail(Errc::invalid_argument, "--debug opens a shell where a step fails: it needs a terminal");
  return request;
}

Result<int> command_build(Context& context) {
  const Args& args = context.args;
  const auto request = TRY(build_request(args));
  const bool quiet = args.flag("quiet");
  const char* preferred = std::getenv("BUILDKIT_PROGRESS");
  const auto progress = TRY(make_progress(quiet ? "quiet" : args.text("progress", preferred ? preferred : "auto")));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto result = TRY(engine::build_image(*engine, request, progress.get(), interrupt.cancel()));
  if (args.has("iidfile")) TRY(sys::write_file(args.text("iidfile"), result.image_id.digest.str()));
  if (quiet && !result.image_id.digest.empty()) TRY(print(result.image_id.digest.str() + "\n"));
  return 0;
}

}  // namespace mica::cli
