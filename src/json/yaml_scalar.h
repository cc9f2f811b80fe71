/// What a scalar of YAML stands for.
#pragma once
#include "json/json.h"

namespace mica::json {

/// A plain scalar, by its text.
Value plain_scalar(std::string_view text);
/// A scalar with one of YAML's own tags, by the tag's last part: "str", "int", "float", "bool", "null".
/// nullopt when the text is none of that kind, or the tag is another.
std::optional<Value> tagged_scalar(std::string_view tag, std::string_view text);

}  // namespace mica::json
