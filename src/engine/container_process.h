/// Small facts about processes of this machine.
#pragma once
#include <cstdint>
#include <string>

namespace mica::engine {

/// Field 22 of /proc/PID/stat; 0 when there is no such process.
std::int64_t process_start(int pid);
/// `pid` still is the process that started at `start`.
bool is_same_process(int pid, std::int64_t start);
/// Differs from one start of the machine to the next.
std::string boot_id();

}  // namespace mica::engine
