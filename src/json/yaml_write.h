/// YAML text of a JSON value, byte for byte as Go's yaml.v3 writes it with an indent of two (what Docker Compose prints): lists are indented below their key,
/// strings are plain where nothing else could be read into them, double-quoted where another type could, literal blocks over several lines.
#pragma once
#include <string>

#include "json/json.h"

namespace mica::json {

/// Members in their order; ends with a line feed.
std::string write_yaml(const Value& value);

}  // namespace mica::json
