/// Finding the Dockerfile of a context, and the ignore rules that go with it (spec: dockerfile.md sections 6 and 7). Internal to
/// the module.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "build/context.h"
#include "build/source_tree.h"

namespace mica::build {

struct FoundDockerfile {
  std::string name;  ///< for messages; "-" for standard input
  std::string text;
  std::string ignore_path;  ///< of its own ignore file, which need not exist; empty: it cannot have one
};

/// The Dockerfile of a context folder on disk: `-f` is relative to the working directory and may lie anywhere; "-" is standard
/// input, http(s) URLs are fetched; without it the default name in the folder, which may be all lower case. Errors: not_found in
/// Docker's words, with a hint.
Result<FoundDockerfile> find_dockerfile(const ContextRequest& request, const std::string& folder, const ContextTools& tools,
                                        task::Cancel cancel);

/// The Dockerfile of a context that came from elsewhere: `-f` names a file in it. Only an absolute path, a URL or "-" lead out of
/// it; not even these when `confined`.
Result<FoundDockerfile> find_dockerfile_inside(const ContextRequest& request, SourceTree& tree, bool confined,
                                               const ContextTools& tools, task::Cancel cancel);

/// Cleaned patterns of `own_path` (may be empty), or when there is no such file, of .dockerignore in the folder; they are not
/// merged. Errors: invalid_argument with file and line, those of reading.
Result<std::vector<std::string>> read_ignore_rules(const std::string& own_path, const std::string& folder);

bool is_http_url(std::string_view text);

}  // namespace mica::build
