/// The images that a compose file takes from registries: of services that are not built, and the Dockerfiles of those that are.
/// Only the fields that decide this are read; the whole model of compose is another module's.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mica::engine {

struct ComposeImage {
  std::string service, image;
  SourcePosition where;
};
struct ComposeBuild {
  std::string service;
  std::string dockerfile;                ///< its path; with `text`: what to call it
  std::string text;                      ///< dockerfile_inline
  std::vector<std::string> build_args;   ///< "K=V"
  std::vector<std::string> platforms;    ///< empty: the caller's
  std::vector<std::pair<std::string, std::string>> contexts;   ///< additional_contexts; what another service makes is "docker-image://SERVICE"
  SourcePosition where;
};
struct ComposeBases {
  std::vector<ComposeImage> images;      ///< without those that a service of the same file builds
  std::vector<ComposeBuild> builds;
  std::vector<std::string> remarks;      ///< what was left out, and variables that are not set
};

/// By its name: *.yml and *.yaml.
bool is_compose_file(std::string_view path);

/// Variables come from the environment and `.env` in the file's folder; `extends` and `include` are followed, `profiles` count as all given. An override
/// file is a file of its own here.
/// Errors: corrupt (no YAML, with line), invalid_argument (a field's type, a variable, an unknown service: with path and line); those of reading files.
Result<ComposeBases> read_compose_bases(const std::string& path);

}  // namespace mica::engine
