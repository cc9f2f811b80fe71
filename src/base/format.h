/// Text formatting: libfmt under our name, since GCC 12 has no <format>. Arguments of user origin are quoted with `quoted()`.
#pragma once
#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace mica {
using fmt::format;

/// `return failf(Errc::not_found, "no such image: {}", ref);`
template <class... Args>
std::unexpected<Error> failf(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return fail(code, fmt::format(text, std::forward<Args>(args)...));
}

/// "text" in double quotes, with control characters, quotes and bytes that are not UTF-8 written as escapes (Go's %q).
std::string quoted(std::string_view text);
}  // namespace mica
