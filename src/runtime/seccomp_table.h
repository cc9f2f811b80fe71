/// Docker's default system call filter as data (read from the bundles that Docker 28.5 writes): names separated by blanks.
/// Everything that is not named fails with EPERM. The rules that look at arguments are code, in seccomp.cc.
#pragma once
#include <cstddef>
#include <iterator>
#include <string_view>

namespace mica::runtime {

extern const std::string_view kSeccompAlways;

struct SeccompByArchitecture {
  std::string_view architecture;   ///< Go's name
  std::string_view names;
};
extern const SeccompByArchitecture kSeccompByArchitecture[];
extern const std::size_t kSeccompArchitectureCount;

/// Allowed in addition when the container holds the capability.
struct SeccompByCapability {
  std::string_view capability;
  std::string_view names;
};
extern const SeccompByCapability kSeccompByCapability[];
extern const std::size_t kSeccompCapabilityCount;

}  // namespace mica::runtime
