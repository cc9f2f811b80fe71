/// Overlay mounts.
///
/// What an upper directory holds must be plain overlay form, the form in which layers are kept and hashed: so redirect_dir, metacopy
/// and index are off (renaming a folder of a lower layer then fails with EXDEV and programs copy, as under Docker), and
/// redirects that a foreign layer may bring are not followed. Kernels that do not know such an option do not have what it
/// switches off.
///
/// One `lowerdir+` a layer has no limit but the kernel's 500 layers. Kernels before 6.7 do not have it: there all layers go into
/// one string of mount(2), at most a page, so each is named by a descriptor ("/proc/self/fd/12"), which fits 200.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "sys/kernel.h"
#include "sys/mount.h"
#include "sys/mount_context.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {
constexpr std::pair<const char*, const char*> kPlainForm[] = {
    {"redirect_dir", "nofollow"}, {"metacopy", "off"}, {"index", "off"}, {"xino", "off"}};

std::string mounting(std::string_view target) { return format("mounting overlay at {}", quoted(target)); }

std::string name_of(const Fd& fd) { return format("/proc/self/fd/{}", fd.get()); }

/// Paths as the kernel takes them. Too long for fsconfig, or with what overlayfs reads as escape or separator: by a descriptor,
/// which `held` keeps open until the mount is made.
Result<std::string> short_name(const std::string& path, std::vector<Fd>& held) {
  if (path.size() <= MountContext::kLongestValue && path.find_first_of("\\:,") == std::string::npos) return path;
  held.push_back(TRY(open(path, O_PATH | O_DIRECTORY)));
  return name_of(held.back());
}

Result<> mount_by_context(const OverlaySpec& spec, const std::string& target) {
  std::vector<Fd> held;
  const auto context = TRY(MountContext::open("overlay"));
  TRY(context.set("source", "overlay"));
  for (const std::string& lower : spec.lowers) {
    const std::string name = TRY(short_name(lower, held));
    TRY(context.set("lowerdir+", name));
  }
  if (!spec.upper.empty()) {
    const std::string upper = TRY(short_name(spec.upper, held));
    const std::string work = TRY(short_name(spec.work, held));
    TRY(context.set("upperdir", upper));
    TRY(context.set("workdir", work));
  }
  if (spec.userxattr) TRY(context.set_flag("userxattr"));
  if (spec.volatile_upper && !spec.upper.empty()) TRY(context.set_flag("volatile"));
  for (const auto& [key, value] : kPlainForm) context.try_set(key, value);
  return context.mount_at(target, spec.upper.empty() ? MOUNT_ATTR_RDONLY : 0);
}

Result<> mount_by_string(const OverlaySpec& spec, const std::string& target, bool with_plain_form) {
  std::vector<Fd> held;
  std::string options;
  const auto add = [&](std::string_view key, const std::string& path, std::string_view separator) -> Result<> {
    held.push_back(TRY(open(path, O_PATH | O_DIRECTORY)));
    options += format("{}{}{}", separator, key, name_of(held.back()));
    return {};
  };
  for (const std::string& lower : spec.lowers) TRY(add(options.empty() ? "lowerdir=" : "", lower, options.empty() ? "" : ":"));
  if (!spec.upper.empty()) {
    TRY(add("upperdir=", spec.upper, ","));
    TRY(add("workdir=", spec.work, ","));
  }
  if (spec.userxattr) options += ",userxattr";
  if (spec.volatile_upper && !spec.upper.empty()) options += ",volatile";
  if (with_plain_form)
    for (const auto& [key, value] : kPlainForm) options += format(",{}={}", key, value);
  if (options.size() >= static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)))
    return failf(Errc::unsupported, "this kernel cannot mount {} layers at once: 6.7 or newer is needed", spec.lowers.size());
  if (::mount("overlay", target.c_str(), "overlay", spec.upper.empty() ? MS_RDONLY : 0, options.c_str()) != 0)
    return fail_errno("creating it");
  return {};
}

/// Older kernels refuse `lowerdir+`, or, older still, take any option and refuse the whole later.
bool knows_lowerdir_plus() {
  const auto context = MountContext::open("overlay");
  return context && context->set("lowerdir+", "/") && !context->set("mica-no-such-option", "x");
}

/// The right advice, and for what overlayfs cannot do with these folders a code that lets callers choose another way.
Error explained(Error error, const OverlaySpec& spec, const std::string& target) {
  const int number = error.os_number();
  const Errc code = number == EINVAL || number == ENODEV || number == EOPNOTSUPP ? Errc::unsupported : error.code();
  error = std::move(error).with_code(code).doing(mounting(target));
  if (code == Errc::unsupported)
    return std::move(error).with_hint("this kernel or file system may not support it (the kernel log says more); or use --snapshotter=copy");
  if (number == EPERM && spec.userxattr)
    return std::move(error).with_hint("overlay without root needs Linux 5.11 or newer; or use --snapshotter=copy");
  return error;
}
}  // namespace

Result<Mount> Mount::overlay(const OverlaySpec& spec, const std::string& target) {
  MICA_ASSERT(!spec.lowers.empty() || !spec.upper.empty(), "an overlay has layers");
  if (spec.upper.empty() && spec.lowers.size() == 1) return bind(spec.lowers[0], target, true);
  if (spec.lowers.empty()) return bind(spec.upper, target, false);
  auto mounted = mount_by_context(spec, target);
  const int number = mounted ? 0 : mounted.error().os_number();
  if (number == ENOSYS || (number == EINVAL && !knows_lowerdir_plus())) {
    log::debug("{}; trying mount(2)", mounted.error().text());
    mounted = mount_by_string(spec, target, true);
    if (!mounted && mounted.error().os_number() == EINVAL) mounted = mount_by_string(spec, target, false);
  }
  if (!mounted) return fail(explained(std::move(mounted).error(), spec, target));
  return Mount(target);
}

}  // namespace mica::sys
