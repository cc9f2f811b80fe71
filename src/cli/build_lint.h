/// What lint says about the Dockerfile of a build, besides BuildKit's checks, which a build shows by itself.
#pragma once
#include <string>
#include <string_view>

#include "engine/build_image.h"

namespace mica::cli {

/// After a build: one line that counts errors and warnings and names the rules; empty for none. `path`: how the file is called to the linter.
std::string lint_note(const engine::BuildImage& request, std::string_view source, const std::string& path);

/// After `--check`: every finding with its excerpt; empty for none.
std::string lint_page(const engine::BuildImage& request, std::string_view source, const std::string& path);

}  // namespace mica::cli
