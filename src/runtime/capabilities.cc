#include "runtime/capabilities.h"

#include <sys/prctl.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::runtime {

namespace {

constexpr std::string_view kNames[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
    "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
    "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};
constexpr std::size_t kCount = std::size(kNames);
constexpr std::uint64_t kDefaultMask = 0xa80425fb;

bool may_hand_on(std::size_t number) { return ::prctl(PR_CAPBSET_READ, number) == 1; }

std::uint64_t everything() {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < kCount; ++i)
    if (may_hand_on(i)) mask |= std::uint64_t{1} << i;
  return mask;
}

bool is_all(std::string_view name) { return equals_ignoring_case(name, "all") || equals_ignoring_case(name, "cap_all"); }

Result<std::uint64_t> mask_of(const std::string& text) {
  std::string name = to_upper(text);
  if (is_all(name)) return everything();
  if (!name.starts_with("CAP_")) name = "CAP_" + name;
  for (std::size_t i = 0; i < kCount; ++i)
    if (kNames[i] == name) return std::uint64_t{1} << i;
  Error error(Errc::invalid_argument, format("unknown capability: {}", quoted(text)));
  if (auto near = closest(name, kNames)) return fail(std::move(error).with_hint(format("did you mean {}?", *near)));
  return fail(std::move(error));
}

}  // namespace

std::vector<std::string_view> all_capabilities() { return {std::begin(kNames), std::end(kNames)}; }

Result<std::vector<std::string>> container_capabilities(bool privileged, const std::vector<std::string>& add,
                                                        const std::vector<std::string>& drop) {
  std::uint64_t added = 0, dropped = 0;
  bool add_all = false, drop_all = false;
  for (const std::string& name : drop) {
    auto bits = TRY(mask_of(name));
    if (is_all(name)) drop_all = true;
    else dropped |= bits;
  }
  for (const std::string& name : add) {
    auto bits = TRY(mask_of(name));
    if (is_all(name)) add_all = true;
    else added |= bits;
  }
  std::uint64_t mask;
  if (add_all) mask = everything() & ~dropped;
  else if (drop_all) mask = added;
  else mask = ((privileged ? everything() : kDefaultMask & everything()) & ~dropped) | added;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < kCount; ++i)
    if (mask >> i & 1) out.emplace_back(kNames[i]);
  return out;
}

}  // namespace mica::runtime
