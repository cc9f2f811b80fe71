/// Reading UTF-8 one code point at a time.
#pragma once
#include <cstdint>
#include <string_view>

namespace mica {
struct CodePoint {
  std::uint32_t value = 0;
  int length = 0;  ///< in bytes; 0 when the text does not start with well-formed UTF-8 (no overlong forms, no surrogates)
};
CodePoint first_code_point(std::string_view text);
}  // namespace mica
