/// What the file of a lock asks for: a Dockerfile's bases, or those of all services of a compose file.
#pragma once
#include <string>
#include <vector>

#include "dockerfile/tree.h"
#include "engine/asked_bases.h"

namespace mica::engine {

struct LockQuestions {
  std::string file;                      ///< a Dockerfile or a compose file (is_compose_file)
  std::vector<std::string> build_args;   ///< "K=V", or "K" for our own value
  std::vector<std::string> platforms;    ///< empty: the host's, or what a service asks for
};

/// Asks `bases` for every image, on all platforms. `remarks` gets what was left out.
/// Errors: those of planning (the file's faults, images that are not found, each at its line), of reading files and of `bases`.
Result<> ask_for_bases(const LockQuestions& questions, AskedBases& bases, task::Pool& pool, std::vector<std::string>& remarks, task::Cancel cancel);

/// The same for a Dockerfile that is read already.
struct DockerfileQuestions {
  std::vector<std::string> build_args, platforms;
  std::vector<std::pair<std::string, std::string>> contexts;   ///< --build-context
};
Result<> ask_for_bases(const dockerfile::File& file, const DockerfileQuestions& questions, AskedBases& bases, task::Pool& pool, task::Cancel cancel);

}  // namespace mica::engine
