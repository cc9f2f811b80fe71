/// System call filters: Docker's default profile, and profile files in Docker's format, as the `linux.seccomp` object of a bundle.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/json.h"

namespace mica::runtime {

/// What a profile's conditions are decided by.
struct SeccompFacts {
  std::vector<std::string> capabilities;      ///< the container's, "CAP_..."
  std::string architecture;                   ///< Go's name: "amd64"
  int kernel_major = 0, kernel_minor = 0;
  bool x32 = false;                           ///< the kernel runs x32 programs
};
/// `x32` is left false: kernel_has_x32() is asked once per machine (see there).
SeccompFacts seccomp_facts(std::vector<std::string> capabilities);

/// True when the kernel has the x32 ABI (amd64 only; few kernels do). Where it has not, every x32 call fails whatever the filter says,
/// and leaving that architecture out of the filter saves the runtime a third of the time that it needs to compile it (5 of 15 ms).
/// Forks a child to try, because a filter around us may kill whoever tries.
bool kernel_has_x32();

/// Docker's default profile.
json::Value default_seccomp(const SeccompFacts& facts);
/// A profile file's text (includes, excludes, archMap, args, errnoRet). Errors: invalid_argument.
Result<json::Value> seccomp_from_profile(std::string_view text, const SeccompFacts& facts);

}  // namespace mica::runtime
