#include "sys/mount_context.h"

#include <fcntl.h>

#include <cerrno>

#include "base/text.h"
#include "sys/kernel.h"
#include "sys/os_failure.h"

namespace mica::sys {

Result<MountContext> MountContext::open(const char* type) {
  Fd fd(::fsopen(type, FSOPEN_CLOEXEC));
  if (!fd) return os_failure("opening the file system type", type);
  return MountContext(std::move(fd));
}

/// The kernel queues one line a message, starting with its kind ("e " for errors).
std::string MountContext::messages() const {
  std::string out;
  char line[512];
  while (true) {
    const ssize_t n = ::read(fd_.get(), line, sizeof line);
    if (n <= 0) return out;
    std::string_view text = trim({line, static_cast<std::size_t>(n)});
    if (text.size() > 2 && text[1] == ' ') text.remove_prefix(2);
    if (!out.empty()) out += "; ";
    out += text;
  }
}

Error MountContext::failure(std::string_view action) const {
  const int number = errno;
  const std::string said = messages();
  return Error::os(number, said.empty() ? std::string(action) : format("{}: {}", action, said));
}

Result<> MountContext::set(const std::string& key, const std::string& value) const {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0)
    return fail(failure(format("setting {}={}", key, value)));
  return {};
}

Result<> MountContext::set_flag(const std::string& key) const {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) != 0) return fail(failure(format("setting {}", key)));
  return {};
}

void MountContext::try_set(const std::string& key, const std::string& value) const {
  // What the kernel says against it must not show up in a later error.
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0) messages();
}

Result<> MountContext::mount_at(const std::string& target, unsigned attributes) const {
  if (::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return fail(failure("creating it"));
  const Fd mount(::fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount) return fail(failure("creating its mount"));
  if (::move_mount(mount.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) return fail(failure("attaching it"));
  return {};
}

}  // namespace mica::sys
