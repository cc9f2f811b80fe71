#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"
#include "engine/run_container.h"

namespace mica::engine {
namespace {

Result<std::string> absolute(std::string_view path) {
  if (path.starts_with("/")) return clean_path(path);
  char buffer[4096];
  if (!::getcwd(buffer, sizeof buffer)) return fail_errno("finding the current folder");
  if (path == "~" || path.starts_with("~/"))
    if (const char* home = std::getenv("HOME")) return join_path(home, path.size() > 1 ? path.substr(2) : "");
  return join_path(buffer, path);
}

Result<> check_target(std::string_view target) {
  if (!target.starts_with("/")) return failf(Errc::invalid_argument, "invalid mount path: {} mount path must be absolute", quoted(target));
  if (clean_path(target) == "/") return fail(Errc::invalid_argument, "invalid mount: destination can't be '/'");
  return {};
}

bool is_propagation(std::string_view word) {
  for (std::string_view known : {"shared", "rshared", "slave", "rslave", "private", "rprivate"})
    if (word == known) return true;
  return false;
}

}  // namespace

Result<runtime::BindMount> parse_volume(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() > 3 || text.empty()) return failf(Errc::invalid_argument, "invalid volume specification: {}", quoted(text));
  runtime::BindMount mount;
  if (parts.size() == 1) {
    // An anonymous volume lives as long as the container: a tmpfs-free place of its own would be the root filesystem itself.
    return fail(Error(Errc::unsupported, format("-v {}: volumes are not supported yet", text)).with_hint("use -v SOURCE:TARGET or --tmpfs TARGET"));
  }
  const std::string_view source = parts[0];
  if (source.find('/') == source.npos && !source.starts_with("."))
    return fail(Error(Errc::unsupported, format("-v {}: named volumes are not supported yet", text)).with_hint(format("for a folder write -v ./{}:{}", source, parts[1])));
  mount.source = TRY(absolute(source));
  mount.destination = clean_path(parts[1]);
  TRY(check_target(parts[1]));
  if (parts.size() == 3) {
    for (std::string_view option : split(parts[2], ',')) {
      if (option == "ro") mount.read_only = true;
      else if (is_propagation(option)) mount.propagation = option;
      else if (option != "rw" && option != "z" && option != "Z" && option != "nocopy" && option != "cached" && option != "delegated" && option != "consistent")
        return failf(Errc::invalid_argument, "invalid mode: {} in volume {}", quoted(option), quoted(text));
    }
  }
  if (!sys::exists(mount.source)) TRY_DOING(sys::make_directories(mount.source), format("making the source of volume {}", quoted(text)));
  return mount;
}

Result<runtime::BindMount> parse_mount_flag(std::string_view text) {
  runtime::BindMount mount;
  std::string type = "volume";
  for (std::string_view word : split(text, ',')) {
    const auto pair = split_once(word, '=');
    const std::string key = to_lower(pair ? pair->first : word);
    const std::string value(pair ? pair->second : "true");
    if (key == "type") type = to_lower(value);
    else if (key == "source" || key == "src") mount.source = value;
    else if (key == "target" || key == "destination" || key == "dst") mount.destination = value;
    else if (key == "readonly" || key == "ro") mount.read_only = value == "true" || value == "1";
    else if (key == "bind-propagation") mount.propagation = value;
    else if (key == "bind-recursive") mount.recursive = value != "disabled";
    else if (key == "bind-nonrecursive") mount.recursive = value != "true";
    else if (key == "tmpfs-size") {
      const std::int64_t size = TRY(parse_size(value));
      mount.options.push_back("size=" + std::to_string(size));
    } else if (key == "tmpfs-mode") mount.options.push_back("mode=" + value);
    else if (key != "consistency")
      return failf(Errc::invalid_argument, "invalid argument {} for \"--mount\" flag: unexpected key '{}'", quoted(text), key);
  }
  TRY(check_target(mount.destination));
  mount.destination = clean_path(mount.destination);
  if (type == "tmpfs") {
    mount.type = "tmpfs";
    mount.source = "tmpfs";
    return mount;
  }
  if (type != "bind") return failf(Errc::unsupported, "--mount type={}: only bind and tmpfs are supported so far", type);
  if (mount.source.empty()) return failf(Errc::invalid_argument, "--mount {}: field Source must not be empty", text);
  mount.source = TRY(absolute(mount.source));
  if (!sys::exists(mount.source)) return failf(Errc::invalid_argument, "invalid mount config for type \"bind\": bind source path does not exist: {}", mount.source);
  return mount;
}

Result<runtime::BindMount> parse_tmpfs(std::string_view text) {
  const auto pair = split_once(text, ':');
  runtime::BindMount mount{.source = "tmpfs", .destination = std::string(pair ? pair->first : text), .type = "tmpfs"};
  TRY(check_target(mount.destination));
  mount.options = {"noexec", "nosuid", "nodev"};
  if (pair) {
    for (std::string_view option : split(pair->second, ',')) {
      if (option == "exec") std::erase(mount.options, "noexec");
      else if (option == "suid") std::erase(mount.options, "nosuid");
      else if (option == "dev") std::erase(mount.options, "nodev");
      else if (option == "ro") mount.read_only = true;
      else if (option != "rw") mount.options.emplace_back(option);
    }
  }
  return mount;
}

Result<runtime::Rlimit> parse_ulimit(std::string_view text) {
  static constexpr std::string_view kNames[] = {"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"};
  const auto pair = split_once(text, '=');
  if (!pair) return failf(Errc::invalid_argument, "invalid ulimit argument: {}", text);
  if (std::find(std::begin(kNames), std::end(kNames), pair->first) == std::end(kNames))
    return failf(Errc::invalid_argument, "invalid ulimit type: {}", pair->first);
  auto number = [](std::string_view word) -> std::optional<std::uint64_t> {
    const auto n = parse_int(word);
    if (!n || *n < -1) return std::nullopt;
    return *n == -1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(*n);
  };
  const auto limits = split_once(pair->second, ':');
  const auto soft = number(limits ? limits->first : pair->second);
  const auto hard = limits ? number(limits->second) : soft;
  if (!soft || !hard) return failf(Errc::invalid_argument, "invalid ulimit value in {}", quoted(text));
  if (*soft > *hard) return failf(Errc::invalid_argument, "ulimit soft limit must be less than or equal to hard limit: {} > {}", *soft, *hard);
  return runtime::Rlimit{"RLIMIT_" + to_upper(pair->first), *soft, *hard};
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double cpus = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end || !(cpus > 0) || cpus > 100'000) return failf(Errc::invalid_argument, "invalid value for --cpus: {}", quoted(text));
  return static_cast<std::int64_t>(std::llround(cpus * 100'000));
}

Result<> apply_security_option(RunContainer& request, std::string_view text) {
  const auto at = text.find_first_of("=:");
  const std::string_view key = text.substr(0, at), value = at == text.npos ? "" : text.substr(at + 1);
  if (key == "no-new-privileges") request.no_new_privileges = value.empty() || value == "true";
  else if (key == "seccomp") {
    request.seccomp = value == "builtin" ? "" : value;
    if (!request.seccomp.empty() && request.seccomp != "unconfined" && !sys::exists(request.seccomp))
      return failf(Errc::invalid_argument, "opening seccomp profile ({}) failed: no such file", request.seccomp);
  } else if (!((key == "apparmor" && value == "unconfined") || (key == "label" && value == "disable"))) {
    return fail(Error(Errc::unsupported, format("--security-opt {}: not supported yet", text)).with_hint("known: no-new-privileges, seccomp=FILE|unconfined|builtin"));
  }
  return {};
}

}  // namespace mica::engine
