#include "cli/build_request.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/extra_hosts.h"
#include "engine/run_options.h"
#include "json/json.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMaxConfigBytes = 4 << 20;
constexpr int kFlagError = 125;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> comma_lists(const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (const auto& value : values)
    for (const auto word : split(value, ','))
      if (!trim(word).empty()) words.emplace_back(trim(word));
  return words;
}

/// `parse` of each value of a flag, with the flag's name in the error.
template <class T, class Parse>
Result<std::vector<T>> parsed_list(const Args& args, std::string_view flag, Parse parse) {
  std::vector<T> result;
  for (const auto& text : args.list(flag)) {
    auto value = parse(text);
    if (!value) {
      const bool named = value.error().text().find(flag) != std::string::npos;
      return fail(named ? std::move(value).error() : std::move(value).error().doing(format("reading --{} {}", flag, quoted(text))));
    }
    result.push_back(std::move(*value));
  }
  return result;
}

Error bad_value(const Args& args, std::string_view flag, const Error& why) {
  return Error(Errc::invalid_argument, format("invalid argument {} for \"--{}\" flag: {}", quoted(args.text(flag)), flag, why.text())).with_exit_status(kFlagError);
}

/// --call METHOD[,format=json], --check and --dry-run.
Result<> read_action(const Args& args, BuildCall& call) {
  const std::string text = args.text("call", "build");
  const auto words = split(text, ',');
  std::string method(words[0].empty() ? "build" : words[0]);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "format=json") call.json = true;
    else if (words[i] != "format=text") return failf(Errc::invalid_argument, "invalid --call attribute {}: use format=json or format=text", quoted(words[i]));
  }
  if (args.flag("check")) {
    if (args.has("call") && method != "check") return failf(Errc::invalid_argument, "--check and --call={} cannot be used together", method);
    method = "check";
  }
  if (args.flag("dry-run")) {
    if (method != "build") return failf(Errc::invalid_argument, "--dry-run and --call={} cannot be used together", method);
    call.request.action = engine::BuildAction::dry_run;
    return {};
  }
  if (method == "build") call.request.action = engine::BuildAction::build;
  else if (method == "check" || method == "lint") call.request.action = engine::BuildAction::check;
  else if (method == "targets") call.request.action = engine::BuildAction::targets;
  else if (method == "outline") return fail(Errc::unsupported, "--call=outline is not supported yet: use build, check or targets");
  else return failf(Errc::invalid_argument, "unknown --call method {}: use build, check or targets", quoted(method));
  return {};
}

/// Switched off is what mica does anyway.
Result<> check_attestations(const Args& args) {
  for (const std::string_view flag : {"provenance", "sbom"}) {
    const std::string value = args.text(flag, "false");
    if (value == "false" || value == "0" || value == "disabled=true") continue;
    return fail(Error(Errc::unsupported, format("--{}={} is not supported: mica makes no attestations yet", flag, value)).with_hint(format("--{}=false is accepted", flag)));
  }
  for (const auto& text : args.list("attest")) {
    bool disabled = false;
    for (const auto field : split(text, ',')) disabled = disabled || field == "disabled=true";
    if (!disabled) return failf(Errc::unsupported, "--attest {} is not supported: mica makes no attestations yet", quoted(text));
  }
  return {};
}

Result<> read_entitlements(const Args& args, engine::BuildImage& request) {
  constexpr std::array<std::string_view, 2> kKnown = {"network.host", "security.insecure"};
  request.allow = comma_lists(args.list("allow"));
  for (const auto& name : request.allow) {
    // Rights of buildx to files of the client: here the client is the builder.
    if (name.starts_with("fs") || name == "buildx.local.delete") continue;
    if (name == "device" || name.starts_with("device=")) return failf(Errc::unsupported, "--allow {}: devices of the host are not given to RUN steps", name);
    if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
    Error error(Errc::invalid_argument, format("unknown entitlement {}", quoted(name)));
    if (const auto near = closest(name, kKnown)) std::move(error).with_hint(format("did you mean {}?", *near));
    return fail(std::move(error));
  }
  return {};
}

/// Whoever says --network=host on the command line has allowed it.
Result<> read_network(const Args& args, engine::BuildImage& request) {
  request.network = args.text("network", "default");
  if (request.network.empty()) request.network = "default";
  if (request.network == "host") request.allow.emplace_back("network.host");
  if (request.network == "host" || request.network == "none" || request.network == "default") return {};
  return failf(Errc::unsupported, "network mode {} is not supported: RUN steps have the networks default, host and none", quoted(request.network));
}

Result<> read_outputs(const Args& args, engine::BuildImage& request) {
  using Kind = engine::BuildOutput::Kind;
  request.outputs = TRY(parsed_list<engine::BuildOutput>(args, "output", engine::parse_output));
  if (args.flag("push")) {
    const auto image = std::find_if(request.outputs.begin(), request.outputs.end(), [](const auto& output) { return output.kind == Kind::image; });
    if (image != request.outputs.end()) image->push = true;
    else request.outputs.push_back({.kind = Kind::image, .push = true});
  }
  if (!args.flag("load")) return {};
  for (const auto& output : request.outputs)
    if (output.kind == Kind::image || (output.kind == Kind::docker && output.destination.empty())) return {};
  request.outputs.push_back({.kind = Kind::docker});
  return {};
}

Result<> check_build_args(const std::vector<std::string>& texts) {
  for (const auto& text : texts)
    if (text.empty() || text[0] == '=') return failf(Errc::invalid_argument, "invalid --build-arg {}: the name is empty", quoted(text));
  return {};
}

Result<> read_progress(const Args& args, BuildCall& call) {
  const std::string preferred = variable("BUILDKIT_PROGRESS");
  call.progress = args.text("progress", preferred.empty() ? "auto" : preferred);
  if (!args.flag("quiet")) return {};
  if (args.has("progress") && call.progress != "auto" && call.progress != "quiet")
    return failf(Errc::invalid_argument, "progress={} and quiet cannot be used together", call.progress);
  call.progress = "quiet";
  return {};
}

bool has_argument(const std::vector<std::string>& build_args, std::string_view name) {
  return std::any_of(build_args.begin(), build_args.end(), [&](const std::string& text) { return equals_ignoring_case(text.substr(0, text.find('=')), name); });
}

}  // namespace

Result<BuildCall> build_call(const Args& args) {
  BuildCall call;
  call.lint = !args.flag("no-lint");
  engine::BuildImage& request = call.request;
  TRY(read_action(args, call));
  TRY(read_progress(args, call));
  TRY(check_attestations(args));
  TRY(read_entitlements(args, request));
  TRY(read_network(args, request));
  TRY(read_outputs(args, request));
  request.context.context = args.positional(0);
  request.context.dockerfile = args.text("file");
  request.tags = args.list("tag");
  request.target = args.text("target");
  request.build_args = args.list("build-arg");
  TRY(check_build_args(request.build_args));
  request.build_contexts = args.list("build-context");
  request.labels = args.list("label");
  request.annotations = args.list("annotation");
  request.platforms = comma_lists(args.list("platform"));
  if (request.platforms.empty()) request.platforms = comma_lists({variable("DOCKER_DEFAULT_PLATFORM")});
  for (const auto& text : comma_lists(args.list("add-host"))) {
    const auto host = engine::parse_extra_host(text);
    if (!host) return fail(Error(Errc::invalid_argument, format("invalid host {}: {}", text, host.error().text())));
    request.add_hosts.push_back(format("{}={}", host->first, host->second));
  }
  request.cgroup_parent = args.text("cgroup-parent");
  if (args.has("shm-size")) {
    const auto bytes = parse_size(args.text("shm-size"));
    if (!bytes) return fail(bad_value(args, "shm-size", bytes.error()));
    request.shm_bytes = *bytes;
  }
  auto limits = parsed_list<runtime::Rlimit>(args, "ulimit", engine::parse_ulimit);
  if (!limits) return fail(bad_value(args, "ulimit", limits.error()));
  request.rlimits = std::move(*limits);
  request.secrets = TRY(parsed_list<build::SecretSource>(args, "secret", engine::parse_secret));
  request.ssh = TRY(parsed_list<build::SshSource>(args, "ssh", engine::parse_ssh));
  request.cache_from = TRY(parsed_list<engine::CacheStore>(args, "cache-from", [](const auto& text) { return engine::parse_cache(text, false); }));
  request.cache_to = TRY(parsed_list<engine::CacheStore>(args, "cache-to", [](const auto& text) { return engine::parse_cache(text, true); }));
  request.no_cache = args.flag("no-cache");
  request.no_lock = args.flag("no-lock");
  request.locked = args.flag("locked");
  if (request.locked && request.no_lock) return fail(Errc::invalid_argument, "--locked wants a lock, and --no-lock leaves it aside: they exclude each other");
  request.no_cache_filter = comma_lists(args.list("no-cache-filter"));
  request.pull = args.flag("pull");
  request.ca = args.text("ca");
  request.timestamp = args.text("timestamp");
  request.explain = args.flag("explain");
  request.replay_logs = args.flag("replay-logs");
  request.debug_shell = args.flag("debug");
  call.iid_file = args.text("iidfile");
  call.metadata_file = args.text("metadata-file");
  return call;
}

std::string client_config_file() {
  if (const std::string folder = variable("DOCKER_CONFIG"); !folder.empty()) return folder + "/config.json";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.docker/config.json";
}

void add_configured_proxies(const std::string& config_file, std::vector<std::string>& build_args) {
  if (config_file.empty()) return;
  const auto text = sys::read_file(config_file, kMaxConfigBytes);
  if (!text) return;
  const auto config = json::parse(*text);
  if (!config) {
    log::debug("no proxies from {}: {}", config_file, config.error().text());
    return;
  }
  const json::Value* proxies = config->find("proxies");
  const json::Value* chosen = proxies ? proxies->find("default") : nullptr;
  if (!chosen) return;
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"httpProxy", "HTTP_PROXY"}, {"httpsProxy", "HTTPS_PROXY"}, {"noProxy", "NO_PROXY"}, {"ftpProxy", "FTP_PROXY"}, {"allProxy", "ALL_PROXY"}};
  for (const auto& [key, name] : kNames)
    if (const std::string value = chosen->string_or(key); !value.empty() && !has_argument(build_args, name)) build_args.push_back(format("{}={}", name, value));
}

}  // namespace mica::cli
