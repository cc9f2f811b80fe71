#include "build/plan_mounts.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

std::string joined_target(const std::string& target, const std::string& cwd) {
  return clean_path(target.starts_with('/') ? target : "/" + cwd + "/" + target);
}

}  // namespace

Result<> complete_mount(df::MountSpec& mount, const std::string& cwd, int& ssh_number) {
  switch (mount.type) {
    case df::MountType::secret:
      if (mount.id.empty()) mount.id = !mount.source.empty() ? mount.source : base_name(mount.target);
      // A secret that is only a variable is no file, unless a target asks for one.
      if (mount.target.empty() && mount.env.empty()) mount.target = "/run/secrets/" + base_name(mount.id);
      if (!mount.target.empty()) mount.target = joined_target(mount.target, cwd);
      return {};
    case df::MountType::ssh:
      if (mount.id.empty()) mount.id = "default";
      if (mount.target.empty()) mount.target = format("/run/buildkit/ssh_agent.{}", ssh_number);
      mount.target = joined_target(mount.target, cwd);
      ++ssh_number;
      return {};
    case df::MountType::cache:
      if (mount.id.empty()) mount.id = clean_path(mount.target);
      break;
    case df::MountType::bind:
    case df::MountType::tmpfs:
      break;
  }
  mount.target = joined_target(mount.target, cwd);
  if (mount.target == "/")
    return fail(
        Error(Errc::invalid_argument, "invalid mount target \"/\"").with_hint("add target=PATH, a folder below the root"));
  return {};
}

std::string cache_mount_key(std::string_view name_space, const df::MountSpec& mount, std::string_view seed) {
  std::string key = format("{}/{}", name_space, mount.id);
  if (!seed.empty()) key += format("\nfrom={}\nsource={}", seed, clean_path("/" + mount.source));
  const auto other_than = [&](std::string_view name, const std::string& text, std::uint64_t usual,
                              std::optional<std::uint64_t> value) {
    if (!text.empty() && value != usual) key += format("\n{}={}", name, text);
  };
  other_than("mode", mount.mode, 0755, parse_octal(mount.mode));
  other_than("uid", mount.uid, 0, parse_int(mount.uid));
  other_than("gid", mount.gid, 0, parse_int(mount.gid));
  return key;
}

}  // namespace mica::build
