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
struct fmt::formatter<mica::Secret> : fmt::formatter<fmt::string_view> {
  auto format(const mica::Secret&, fmt::format_context& context) const {
    return fmt::formatter<fmt::string_view>::format("***", context);
  }
};
