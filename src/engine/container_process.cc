#include "engine/container_process.h"

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::engine {

std::int64_t process_start(int pid) {
  constexpr std::size_t kStartAfterName = 19;   // field 22, counted from behind the name, which may hold blanks and brackets
  if (pid <= 0) return 0;
  const auto stat = sys::read_file(format("/proc/{}/stat", pid), 4096);
  if (!stat) return 0;
  const auto name_end = stat->rfind(')');
  if (name_end == std::string::npos) return 0;
  const auto fields = split_blanks(std::string_view(*stat).substr(name_end + 1));
  return fields.size() > kStartAfterName ? parse_int(fields[kStartAfterName]).value_or(0) : 0;
}

bool is_same_process(int pid, std::int64_t start) { return pid > 0 && start != 0 && process_start(pid) == start; }

std::string boot_id() { return std::string(trim(sys::read_file("/proc/sys/kernel/random/boot_id", 128).value_or(""))); }

}  // namespace mica::engine
