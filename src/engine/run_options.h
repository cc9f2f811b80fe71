/// Values of flags that say how much a process may use.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "runtime/spec.h"

namespace mica::engine {

Result<runtime::Rlimit> parse_ulimit(std::string_view text);          ///< nofile=1024:2048; -1: unlimited
/// "1.5" CPUs as quota for a period of 100000.
Result<std::int64_t> parse_cpus(std::string_view text);

}  // namespace mica::engine
