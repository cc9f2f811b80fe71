/// TOML files as JSON values, over toml++ (which only toml.cc sees).
#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "json/json.h"

namespace mica::registry {

/// The document as an object whose members are in the order of the text (toml++'s own is alphabetic, but the order of hosts matters).
/// Dates and times become strings. `file` is for the error. Errors: invalid_argument ("FILE:12:3: why").
Result<json::Value> parse_toml(const std::string& file, std::string_view text);
/// Nothing when there is no such file. Errors: those of parsing, permission_denied.
Result<std::optional<json::Value>> read_toml(const std::string& file);

}  // namespace mica::registry
