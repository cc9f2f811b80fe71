#include "lint/finding.h"

#include <array>

#include "base/text.h"

namespace mica::lint {
namespace {

constexpr std::array<std::pair<std::string_view, Severity>, 8> kNames = {{{"error", Severity::error},
                                                                           {"warning", Severity::warning},
                                                                           {"info", Severity::info},
                                                                           {"style", Severity::style},
                                                                           {"ignore", Severity::off},
                                                                           {"none", Severity::off},
                                                                           {"off", Severity::off},
                                                                           {"warn", Severity::warning}}};

}  // namespace

std::string_view severity_name(Severity severity) {
  for (const auto& [name, value] : kNames)
    if (value == severity) return name;
  return "";
}

std::optional<Severity> severity_of(std::string_view name) {
  for (const auto& [known, value] : kNames)
    if (equals_ignoring_case(known, name)) return value;
  return std::nullopt;
}

}  // namespace mica::lint
