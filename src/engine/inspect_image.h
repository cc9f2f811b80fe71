/// `inspect` of images in Docker's JSON shape.
#pragma once
#include <string>

#include "engine/engine.h"
#include "json/json.h"

namespace mica::engine {

/// Members in Docker's order. Errors: not_found, conflict (ambiguous id), corrupt.
Result<json::Value> inspect_image(Engine& engine, const std::string& name);

}  // namespace mica::engine
