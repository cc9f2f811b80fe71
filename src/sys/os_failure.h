/// The error of a call on a path, built from errno: `opening "/x/y": No such file or directory`.
#pragma once
#include <cerrno>

#include "base/format.h"

namespace mica::sys {
inline std::unexpected<Error> os_failure(std::string_view gerund, std::string_view path) {
  const int number = errno;
  return std::unexpected(Error::os(number, format("{} {}", gerund, quoted(path))));
}
}  // namespace mica::sys
