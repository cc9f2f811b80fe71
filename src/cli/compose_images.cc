#include "cli/compose_images.h"

#include <algorithm>
#include <functional>

#include "base/format.h"
#include "base/text.h"
#include "cli/build_request.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/pull_missing.h"
#include "compose/canonical.h"
#include "compose/service_hash.h"
#include "engine/run_options.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

using json::Value;

std::vector<std::string> assignments(const Value* map) {
  std::vector<std::string> out;
  if (map && map->is_object())
    for (const auto& [key, value] : map->as_object()) out.push_back(value.is_null() ? key : format("{}={}", key, compose::scalar_text(value)));
  return out;
}

Result<build::SecretSource> secret_of(const compose::Project& project, const Value& reference) {
  const std::string source = reference.string_or("source"), id = reference.string_or("target", source);
  const auto* all = project.model.find("secrets");
  const auto* secret = all ? all->find(source) : nullptr;
  if (!secret) return failf(Errc::not_found, "undefined secret {}", quoted(source));
  if (const std::string file = secret->string_or("file"); !file.empty()) return engine::parse_secret(format("id={},src={}", id, file));
  if (const std::string variable = secret->string_or("environment"); !variable.empty()) return engine::parse_secret(format("id={},env={}", id, variable));
  return failf(Errc::unsupported, "secret {} has neither a file nor a variable", quoted(source));
}

/// `inline_file`: where the text of dockerfile_inline is.
Result<engine::BuildImage> build_request(const compose::Project& project, const std::string& name, const Value& service, const BuildServices& how, const std::string& inline_file) {
  const Value& build = *service.find("build");
  engine::BuildImage request;
  request.context.context = build.string_or("context");
  const std::string dockerfile = build.string_or("dockerfile");
  const bool is_folder = request.context.context.starts_with('/');
  if (!inline_file.empty()) request.context.dockerfile = inline_file;
  else if (!dockerfile.empty()) request.context.dockerfile = is_folder ? compose::absolute(dockerfile, request.context.context) : dockerfile;
  request.tags = build.strings("tags");
  const std::string image = compose::image_name(project, name, service);
  if (!std::ranges::count(request.tags, image)) request.tags.insert(request.tags.begin(), image);
  request.target = build.string_or("target");
  request.build_args = assignments(build.find("args"));
  request.build_args.insert(request.build_args.end(), how.args.begin(), how.args.end());
  request.labels = assignments(build.find("labels"));
  for (const auto& [key, value] : {std::pair{"com.docker.compose.project", project.name}, std::pair{"com.docker.compose.service", name}, std::pair{"com.docker.compose.version", std::string("2.40.3")}})
    request.labels.push_back(format("{}={}", key, value));
  if (const auto* contexts = build.find("additional_contexts"); contexts && contexts->is_object())
    for (const auto& [key, value] : contexts->as_object()) {
      std::string where = compose::scalar_text(value);
      if (where.starts_with("service:")) {
        const std::string other = where.substr(8);
        const auto* found = project.service(other);
        if (!found) return failf(Errc::not_found, "additional_contexts: undefined service {}", quoted(other));
        where = "docker-image://" + compose::image_name(project, other, *found);
      }
      request.build_contexts.push_back(format("{}={}", key, where));
    }
  if (const auto* secrets = build.find("secrets"); secrets && secrets->is_array())
    for (const auto& one : secrets->as_array()) {
      auto secret = TRY(secret_of(project, one));
      request.secrets.push_back(std::move(secret));
    }
  auto ssh = build.strings("ssh");
  ssh.insert(ssh.end(), how.ssh.begin(), how.ssh.end());
  for (const auto& text : ssh) {
    const auto parts = text.find(": ");
    auto source = TRY(engine::parse_ssh(parts == text.npos ? text : text.substr(0, parts) + "=" + text.substr(parts + 2)));
    request.ssh.push_back(std::move(source));
  }
  request.platforms = build.strings("platforms");
  if (request.platforms.empty() && !service.string_or("platform").empty()) request.platforms = {service.string_or("platform")};
  for (const auto& host : build.strings("extra_hosts")) {
    const auto parts = split_once(host, '=');
    request.add_hosts.push_back(parts ? format("{}:{}", parts->first, parts->second) : host);
  }
  request.allow = build.strings("entitlements");
  if (build.bool_or("privileged")) return fail(Errc::unsupported, "build.privileged is not supported: use RUN --security=insecure with the entitlement security.insecure");
  request.network = build.string_or("network", "default");
  if (request.network == "host" && !std::ranges::count(request.allow, "network.host")) request.allow.emplace_back("network.host");
  if (build.find("shm_size")) request.shm_bytes = parse_int(build.string_or("shm_size")).value_or(request.shm_bytes);
  if (const auto* ulimits = build.find("ulimits"); ulimits && ulimits->is_object())
    for (const auto& [limit, value] : ulimits->as_object()) {
      auto parsed = TRY(engine::parse_ulimit(value.is_object() ? format("{}={}:{}", limit, value.int_or("soft"), value.int_or("hard")) : format("{}={}", limit, compose::scalar_text(value))));
      request.rlimits.push_back(std::move(parsed));
    }
  request.no_cache = how.no_cache || build.bool_or("no_cache");
  request.pull = how.pull || build.bool_or("pull");
  for (const auto& text : build.strings("cache_from")) {
    auto cache = TRY(engine::parse_cache(text, false));
    request.cache_from.push_back(std::move(cache));
  }
  for (const auto& text : build.strings("cache_to")) {
    auto cache = TRY(engine::parse_cache(text, true));
    request.cache_to.push_back(std::move(cache));
  }
  request.no_cache_filter = build.strings("no_cache_filter");
  if (build.find("isolation")) return fail(Errc::unsupported, "build.isolation is not supported: only Windows has it");
  add_configured_proxies(client_config_file(), request.build_args);
  return request;
}

Result<> build_one(engine::Engine& engine, const compose::Project& project, const std::string& name, const BuildServices& how, const task::Cancel& cancel) {
  const Value& service = *project.service(name);
  const std::string text = service.find("build")->string_or("dockerfile_inline");
  std::string inline_file;
  if (!text.empty()) {
    inline_file = format("{}/{}.Dockerfile", engine.workspace().path(), name);
    TRY(sys::write_file(inline_file, text, 0600));
  }
  const auto request = TRY(build_request(project, name, service, how, inline_file));
  const auto progress = TRY(make_progress(how.quiet ? "quiet" : how.progress));
  const auto built = engine::build_image(engine, request, progress.get(), cancel);
  progress->finish();
  if (!built) return fail(Error(built.error()));
  note(format(" {}  Built\n", name));
  return {};
}

/// Where a service's image comes from when it is missing.
bool can_build(const Value& service) { return service.find("build") != nullptr; }

/// Services whose builds others take as a context come first.
std::vector<std::string> in_build_order(const compose::Project& project, const std::vector<std::string>& services) {
  std::vector<std::string> out;
  std::function<void(const std::string&)> visit = [&](const std::string& name) {
    const auto* service = project.service(name);
    if (!service || !can_build(*service) || std::ranges::count(out, name)) return;
    if (const auto* contexts = service->find("build")->find("additional_contexts"); contexts && contexts->is_object())
      for (const auto& [key, value] : contexts->as_object())
        if (const std::string where = compose::scalar_text(value); where.starts_with("service:")) visit(where.substr(8));
    if (!std::ranges::count(out, name)) out.push_back(name);
  };
  for (const auto& name : services) visit(name);
  return out;
}

}  // namespace

Result<> build_services(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, const BuildServices& how, const task::Cancel& cancel) {
  for (const auto& name : in_build_order(project, services)) TRY_DOING(build_one(engine, project, name, how, cancel), format("building service {}", name));
  return {};
}

Result<> ensure_images(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, const ImageNeeds& needs, const task::Cancel& cancel) {
  std::vector<std::string> to_build;
  for (const auto& name : services) {
    const Value& service = *project.service(name);
    const std::string image = compose::image_name(project, name, service);
    const bool here = engine.images().resolve(image).has_value();
    const std::string own = service.string_or("pull_policy");
    const std::string policy = !needs.pull.empty() ? needs.pull : own;
    if (can_build(service)) {
      const bool wanted = needs.build || own == "build";
      if (needs.no_build) {
        if (!here) return fail(Error(Errc::not_found, format("no such image: {}", image)).with_hint("build it first: without --no-build it is built now"));
      } else if (!here || wanted) {
        to_build.push_back(name);
      }
      continue;
    }
    if (policy == "never" && !here) return failf(Errc::not_found, "No such image: {}", image);
    if (here && policy != "always") continue;
    note(format(" {} Pulling\n", name));
    TRY_DOING(pull_missing(engine, true, cancel)(image, service.string_or("platform")), format("service {}", quoted(name)));
    note(format(" {} Pulled\n", name));
  }
  return build_services(engine, project, to_build, {.quiet = needs.quiet_build, .progress = needs.progress}, cancel);
}

}  // namespace mica::cli
