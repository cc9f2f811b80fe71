/// A value that must not be printed: it formats as ***. `reveal()` marks the places that really need it.
#pragma once
#include <fmt/core.h>

#include <string>
#include <utility>

namespace mica {
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};
}  // namespace mica

template <>
struct fmt::formatter<mica::Secret> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const mica::Secret&, fmt::format_context& context) const {
    auto out = context.out();
    for (int i = 0; i < 3; ++i) *out++ = '*';
    return out;
  }
};
